# Finds the xxHash header (used header-only, with XXH_INLINE_ALL) and offers it as XxHash::Headers.

find_path(XXHASH_INCLUDE_DIR xxhash.h DOC "Folder of xxhash.h, version 0.8 or later")

if(XXHASH_INCLUDE_DIR)
  file(STRINGS "${XXHASH_INCLUDE_DIR}/xxhash.h" _xxhash_lines REGEX "#define XXH_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+")
  string(REGEX MATCHALL "[0-9]+" _xxhash_numbers "${_xxhash_lines}")
  list(JOIN _xxhash_numbers "." XXHASH_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XxHash
  REQUIRED_VARS XXHASH_INCLUDE_DIR
  VERSION_VAR XXHASH_VERSION
  REASON_FAILURE_MESSAGE "install xxHash's header (Debian and Ubuntu: libxxhash-dev)")
mark_as_advanced(XXHASH_INCLUDE_DIR)

if(XxHash_FOUND AND NOT TARGET XxHash::Headers)
  add_library(XxHash::Headers INTERFACE IMPORTED)
  target_include_directories(XxHash::Headers SYSTEM INTERFACE "${XXHASH_INCLUDE_DIR}")
endif()
