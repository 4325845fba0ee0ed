/* SPDX-License-Identifier: ISC */
#include "../../../bindings/cpp/svconn.hpp"
