# SPDX-License-Identifier: ISC
# CMake's toolchain file for MinGW on another system: cmake -DCMAKE_TOOLCHAIN_FILE=tests/windows/mingw.cmake [-DCPU=i686]
set(CMAKE_SYSTEM_NAME Windows)
if(NOT CPU)
    set(CPU x86_64)
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CPU)
set(CMAKE_SYSTEM_PROCESSOR ${CPU})
set(CMAKE_C_COMPILER ${CPU}-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER ${CPU}-w64-mingw32-windres)
set(CMAKE_FIND_ROOT_PATH /usr/${CPU}-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
