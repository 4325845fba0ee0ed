/* SPDX-License-Identifier: ISC */
#include "../../../svc/svconn.h"
