# Installs the build tree BINARY_DIR into a scratch prefix and builds and runs the program SOURCE against it twice, with
# pkg-config and as a CMake project: what a user of the installed library does.

cmake_minimum_required(VERSION 3.20)

set(scratch "${BINARY_DIR}/install-check")
set(prefix "${scratch}/prefix")
file(REMOVE_RECURSE "${scratch}")
file(MAKE_DIRECTORY "${scratch}")

function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${scratch}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run("${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${prefix}")
set(ENV{LD_LIBRARY_PATH} "${prefix}/${LIBDIR}")

# With pkg-config.
find_program(PKG_CONFIG NAMES pkg-config pkgconf REQUIRED)
set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs starlings
  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
run("${COMPILER}" "${SOURCE}" -o with-pkg-config ${flags})
run("${scratch}/with-pkg-config")

# As a CMake project.
file(WRITE "${scratch}/project/CMakeLists.txt"
"cmake_minimum_required(VERSION 3.20)
project(user LANGUAGES C)
find_package(starlings ${VERSION} REQUIRED)
add_executable(with-shared \"${SOURCE}\")
target_link_libraries(with-shared PRIVATE starlings::starlings)
add_executable(with-static \"${SOURCE}\")
target_link_libraries(with-static PRIVATE starlings::starlings_static)
")
run("${CMAKE_COMMAND}" -S "${scratch}/project" -B "${scratch}/project/build" -G "${GENERATOR}"
  "-DCMAKE_C_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}")
run("${CMAKE_COMMAND}" --build "${scratch}/project/build")
run("${scratch}/project/build/with-shared")
run("${scratch}/project/build/with-static")
