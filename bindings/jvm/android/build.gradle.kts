// SPDX-License-Identifier: ISC
// svconn for Android, as a library (AAR): the classes of ../java, and libsvconn_jni.so of ../CMakeLists.txt.
plugins {
    id("com.android.library")
}

group = "io.svconn"
version = "0.1.0"

android {
    namespace = "io.svconn"
    compileSdk = 35
    ndkVersion = "27.2.12479018"

    defaultConfig {
        minSdk = 21 // of the NDK; the classes want 19
        consumerProguardFiles("consumer-rules.pro")
        ndk {
            abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86", "x86_64")
        }
        externalNativeBuild {
            cmake {
                arguments += "-DANDROID_STL=none" // it is C
                targets += "svconn_jni"
            }
        }
    }

    externalNativeBuild {
        cmake {
            path = file("../CMakeLists.txt")
            version = "3.22.1"
        }
    }

    sourceSets {
        getByName("main") {
            java.setSrcDirs(listOf("../java"))
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    publishing {
        singleVariant("release") {
            withSourcesJar()
        }
    }
}
