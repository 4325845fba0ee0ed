/* SPDX-License-Identifier: ISC */
#include "../../../transport/svconn_line.h"
