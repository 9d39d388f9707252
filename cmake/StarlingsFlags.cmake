# How everything is compiled.
#
#   starlings_code       language, code generation, sanitizers: third-party source too
#   starlings_flags      the same with warnings: everything of ours
#   starlings_internal   what only the engine and its white-box tests need on top

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(SL_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror=implicit-function-declaration)
if(SL_WERROR)
  list(APPEND SL_WARNINGS -Werror)
endif()

# No -ffast-math, and no fused multiply-add behind our back: figures do not depend on the compiler.
set(SL_CODE_GENERATION -fvisibility=hidden -fno-math-errno -ffp-contract=off)

set(SL_SANITIZER_FLAGS "")
if(SL_SANITIZE)
  set(SL_SANITIZER_FLAGS
    -fsanitize=${SL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1)
endif()

add_library(starlings_code INTERFACE)
target_compile_options(starlings_code INTERFACE ${SL_CODE_GENERATION} ${SL_SANITIZER_FLAGS})
target_link_options(starlings_code INTERFACE ${SL_SANITIZER_FLAGS})

add_library(starlings_flags INTERFACE)
target_compile_options(starlings_flags INTERFACE ${SL_WARNINGS})
target_link_libraries(starlings_flags INTERFACE starlings_code)

add_library(starlings_internal INTERFACE)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  # madvise, pthread extensions
  target_compile_definitions(starlings_internal INTERFACE _GNU_SOURCE)
endif()
