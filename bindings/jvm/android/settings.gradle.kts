// SPDX-License-Identifier: ISC
// For a build of the library alone. In an app's own build this file is not read: see README.md.
pluginManagement {
    repositories {
        google()
        mavenCentral()
    }
    plugins {
        id("com.android.library") version "8.7.3"
    }
}
dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}
rootProject.name = "svconn"
