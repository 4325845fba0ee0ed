/* SPDX-License-Identifier: ISC */
#include "../../../transport/svconn_transport.h"
