# What `cmake --install` puts in place: header, libraries, pkg-config file, CMake package.

include(CMakePackageConfigHelpers)

install(FILES include/starlings.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS ${SL_LIBRARIES} EXPORT starlings
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")

# Relative to the file itself, so that the prefix may be chosen (or the tree moved) after the build.
file(RELATIVE_PATH SL_PREFIX_FROM_PC
  "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" SL_PREFIX_FROM_PC "${SL_PREFIX_FROM_PC}")
set(SL_PC_BLAKE3 "")
if(BLAKE3_IS_SYSTEM)
  set(SL_PC_BLAKE3 ", libblake3")
endif()
configure_file(cmake/starlings.pc.in "${PROJECT_BINARY_DIR}/starlings.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/starlings.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(SL_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/starlings")
install(EXPORT starlings NAMESPACE starlings:: FILE starlings-targets.cmake DESTINATION "${SL_PACKAGE_DIR}")
configure_package_config_file(cmake/starlings-config.cmake.in "${PROJECT_BINARY_DIR}/starlings-config.cmake"
  INSTALL_DESTINATION "${SL_PACKAGE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/starlings-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/starlings-config.cmake"
  "${PROJECT_BINARY_DIR}/starlings-config-version.cmake"
  DESTINATION "${SL_PACKAGE_DIR}")
