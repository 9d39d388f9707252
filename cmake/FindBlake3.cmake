# Finds BLAKE3's C library, 1.3 or later: the system's libblake3, else the sources that tools/setup.sh fetches. Offers
# Blake3::Headers to include <private_blake3.h>, and one of BLAKE3_LIBRARY to link or BLAKE3_SOURCES to compile.
#
# Sources are the C with intrinsics rather than the assembly: hidden by the compiler's flag like everything else. Every function
# gets a name of its own, sl_i_NAME: programs that link our static library may use BLAKE3 too.

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(_blake3_system QUIET libblake3)
endif()
find_path(BLAKE3_INCLUDE_DIR blake3.h HINTS ${_blake3_system_INCLUDE_DIRS} DOC "Folder of blake3.h of the system's library")
find_library(BLAKE3_LIBRARY blake3 HINTS ${_blake3_system_LIBRARY_DIRS} DOC "The system's libblake3")
find_path(BLAKE3_SOURCE_DIR blake3_dispatch.c
  PATHS "${PROJECT_SOURCE_DIR}/.third-party/blake3" NO_DEFAULT_PATH
  DOC "Folder of BLAKE3's C sources, where there is no libblake3")

set(_blake3_folder "${BLAKE3_SOURCE_DIR}")
if(BLAKE3_INCLUDE_DIR AND BLAKE3_LIBRARY)
  set(_blake3_folder "${BLAKE3_INCLUDE_DIR}")
endif()
if(_blake3_folder)
  file(STRINGS "${_blake3_folder}/blake3.h" _blake3_line REGEX "#define BLAKE3_VERSION_STRING \"[0-9.]+\"")
  string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" BLAKE3_VERSION "${_blake3_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Blake3
  REQUIRED_VARS _blake3_folder
  VERSION_VAR BLAKE3_VERSION
  REASON_FAILURE_MESSAGE "install libblake3 with its header, or run tools/setup.sh, which fetches the sources into .third-party")
mark_as_advanced(BLAKE3_INCLUDE_DIR BLAKE3_LIBRARY BLAKE3_SOURCE_DIR)

# What is compiled, each file with the instructions that it was written for; which of them run is decided when they run.
function(_blake3_list_sources names)
  set(files blake3.c blake3_dispatch.c blake3_portable.c)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|i[3-6]86)$")
    list(APPEND files blake3_sse2.c blake3_sse41.c blake3_avx2.c blake3_avx512.c)
    set(instructions_of_blake3_sse2.c -msse2)
    set(instructions_of_blake3_sse41.c -msse4.1)
    set(instructions_of_blake3_avx2.c -mavx2)
    set(instructions_of_blake3_avx512.c -mavx512f -mavx512vl)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    list(APPEND files blake3_neon.c)
  endif()
  foreach(file IN LISTS files)
    set_source_files_properties("${BLAKE3_SOURCE_DIR}/${file}" PROPERTIES
      COMPILE_OPTIONS "-include;${names};${instructions_of_${file}}")
  endforeach()
  list(TRANSFORM files PREPEND "${BLAKE3_SOURCE_DIR}/")
  set(BLAKE3_SOURCES ${files} PARENT_SCOPE)
endfunction()

# Every word that begins with blake3_, from both headers: those of types among them, which does no harm.
function(_blake3_write_names path)
  set(names "")
  foreach(file blake3.h blake3_impl.h)
    file(READ "${BLAKE3_SOURCE_DIR}/${file}" text)
    string(REGEX MATCHALL "[A-Za-z0-9_.]*blake3_[a-z0-9_]+" words "${text}")
    list(FILTER words INCLUDE REGEX "^blake3_")
    list(APPEND names ${words})
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(TRANSFORM names REPLACE "(.+)" "#define \\1 sl_i_\\1")
  list(JOIN names "\n" names)
  file(CONFIGURE OUTPUT "${path}" CONTENT "${names}\n")
endfunction()

if(Blake3_FOUND AND NOT TARGET Blake3::Headers)
  set(_blake3_private "${PROJECT_BINARY_DIR}/blake3")
  set(_blake3_include "#include \"${_blake3_folder}/blake3.h\"")
  set(BLAKE3_SOURCES "")
  if(BLAKE3_INCLUDE_DIR AND BLAKE3_LIBRARY)
    set(BLAKE3_IS_SYSTEM TRUE)
  else()
    set(BLAKE3_IS_SYSTEM FALSE)
    _blake3_write_names("${_blake3_private}/blake3_names.h")
    _blake3_list_sources("${_blake3_private}/blake3_names.h")
    string(PREPEND _blake3_include "#include \"blake3_names.h\"\n")
  endif()
  file(CONFIGURE OUTPUT "${_blake3_private}/private_blake3.h" CONTENT
    "#ifndef SL_PRIVATE_BLAKE3_H\n#define SL_PRIVATE_BLAKE3_H\n${_blake3_include}\n#endif\n")
  add_library(Blake3::Headers INTERFACE IMPORTED)
  target_include_directories(Blake3::Headers SYSTEM INTERFACE "${_blake3_private}")
endif()
