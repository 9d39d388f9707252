# Finds the amalgamation of CRoaring that tools/setup.sh fetches (roaring.c, roaring.h) and offers it as sources to compile:
# Roaring::Headers to include <private_roaring.h>, ROARING_SOURCES to build it.
#
# Always a copy of our own, never the system's library: the engine hooks CRoaring's allocation, and that hook is one for a
# whole copy of CRoaring, so a copy shared with anybody else would put their bitmaps into our hands. For the same
# reason every function of it gets a name of its own, sl_i_NAME: programs that link our static library may use CRoaring too.

find_path(ROARING_SOURCE_DIR roaring.c
  PATHS "${PROJECT_SOURCE_DIR}/.third-party/roaring" NO_DEFAULT_PATH
  DOC "Folder of CRoaring's roaring.c and roaring.h, version 5.2 or later")

if(ROARING_SOURCE_DIR)
  file(STRINGS "${ROARING_SOURCE_DIR}/roaring.h" _roaring_line REGEX "#define ROARING_VERSION \"[0-9.]+\"")
  string(REGEX MATCH "[0-9.]+" ROARING_VERSION "${_roaring_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Roaring
  REQUIRED_VARS ROARING_SOURCE_DIR
  VERSION_VAR ROARING_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup.sh, which fetches CRoaring's sources into .third-party")
mark_as_advanced(ROARING_SOURCE_DIR)

# Names are collected by their beginnings, from both files: those of types and members among them, which does no harm.
# Not those of macros, nor parts that macros put together.
function(_roaring_write_private folder)
  set(beginnings "_?_?(roaring|roaring64|croaring|bitset|bitsets|array|run|ra|art|container|shared|convert|intersect|"
    "intersection|union|difference|xor|avx2|avx512|vbmi2|scalar|align|get|extend|fast|memequals|binarySearch|"
    "interleavedBinarySearch|CROARING_AVX512)")
  list(JOIN beginnings "" beginnings)
  set(names "")
  set(macros "")
  foreach(file roaring.h roaring.c)
    file(READ "${ROARING_SOURCE_DIR}/${file}" text)
    string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*" words "${text}")
    list(REMOVE_DUPLICATES words)
    list(APPEND names ${words})
    string(REGEX MATCHALL "# *define +[A-Za-z_][A-Za-z0-9_]*" words "${text}")
    list(TRANSFORM words REPLACE "# *define +" "")
    list(APPEND macros ${words})
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(FILTER names INCLUDE REGEX "^${beginnings}(_[A-Za-z0-9_]*[A-Za-z0-9])?$")
  list(FILTER names EXCLUDE REGEX "^[a-z0-9]+$") # words of C among them
  list(APPEND names memequals)
  list(REMOVE_ITEM names ${macros})
  list(TRANSFORM names REPLACE "(.+)" "#define \\1 sl_i_\\1")
  list(JOIN names "\n" names)
  file(CONFIGURE OUTPUT "${folder}/private_roaring.h" CONTENT
    "#ifndef SL_PRIVATE_ROARING_H\n#define SL_PRIVATE_ROARING_H\n${names}\n#include \"${ROARING_SOURCE_DIR}/roaring.h\"\n#endif\n")
  file(CONFIGURE OUTPUT "${folder}/private_roaring.c" CONTENT
    "#include \"private_roaring.h\"\n#include \"${ROARING_SOURCE_DIR}/roaring.c\"\n")
endfunction()

if(Roaring_FOUND AND NOT TARGET Roaring::Headers)
  set(_roaring_folder "${PROJECT_BINARY_DIR}/roaring")
  _roaring_write_private("${_roaring_folder}")
  set(ROARING_SOURCES "${_roaring_folder}/private_roaring.c")
  add_library(Roaring::Headers INTERFACE IMPORTED)
  target_include_directories(Roaring::Headers SYSTEM INTERFACE "${_roaring_folder}")
endif()
