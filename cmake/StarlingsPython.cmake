# The extension module starlings._core, against CPython's stable ABI of 3.11: one binary for 3.11 and all later ones.
#
# Written out rather than left to Python_add_library(... USE_SABI), which needs CMake 3.26; Debian 12 has 3.25.

find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

file(GLOB SL_PYTHON_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/python/starlings/_core/*.c")

add_library(_core MODULE ${SL_PYTHON_SOURCES})
set_target_properties(_core PROPERTIES PREFIX "" SUFFIX ".abi3.so")
target_compile_definitions(_core PRIVATE Py_LIMITED_API=0x030B0000)
target_include_directories(_core PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/python/starlings/_core")
target_link_libraries(_core PRIVATE starlings_flags starlings_internal Python::Module starlings_static)
if(NOT APPLE)
  # PyInit__core is the module's only symbol: two copies of the engine in one process must not see each other.
  target_link_options(_core PRIVATE LINKER:--exclude-libs,ALL)
endif()

if(NOT SKBUILD)
  set_target_properties(_core PROPERTIES EXCLUDE_FROM_ALL ON) # engine and C tests build while it is being worked on
else()
  install(TARGETS _core LIBRARY DESTINATION starlings)
endif()
