# Finds the sources of nanoarrow that tools/setup.sh fetches and bundles (nanoarrow.c, nanoarrow.h) and offers them to compile:
# Nanoarrow::Headers to include <nanoarrow.h>, NANOARROW_SOURCES to build it.
#
# The bundle's functions are called sl_i_private_NAME: programs that link our static library may use nanoarrow too.

find_path(NANOARROW_SOURCE_DIR nanoarrow.c
  PATHS "${PROJECT_SOURCE_DIR}/.third-party/nanoarrow" NO_DEFAULT_PATH
  DOC "Folder of nanoarrow's bundled nanoarrow.c and nanoarrow.h, version 0.9 or later")

if(NANOARROW_SOURCE_DIR)
  file(STRINGS "${NANOARROW_SOURCE_DIR}/nanoarrow.h" _nanoarrow_line REGEX "#define NANOARROW_VERSION \"[0-9.]+\"")
  string(REGEX MATCH "[0-9.]+" NANOARROW_VERSION "${_nanoarrow_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nanoarrow
  REQUIRED_VARS NANOARROW_SOURCE_DIR
  VERSION_VAR NANOARROW_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup.sh, which fetches nanoarrow's sources into .third-party")
mark_as_advanced(NANOARROW_SOURCE_DIR)

if(Nanoarrow_FOUND AND NOT TARGET Nanoarrow::Headers)
  set(NANOARROW_SOURCES "${NANOARROW_SOURCE_DIR}/nanoarrow.c")
  add_library(Nanoarrow::Headers INTERFACE IMPORTED)
  target_include_directories(Nanoarrow::Headers SYSTEM INTERFACE "${NANOARROW_SOURCE_DIR}")
  target_compile_definitions(Nanoarrow::Headers INTERFACE NANOARROW_DLL=) # hidden like our own, not exported
endif()
