/* SPDX-License-Identifier: ISC */
/* For tests that include the curve code itself: its functions get names of their own, so that the library does not call
 * them in place of its own. Before everything else that declares them. */
#ifndef SVCONN_CURVE_COPY_H
#define SVCONN_CURVE_COPY_H

#define svconn_ge_base_begin copy_ge_base_begin
#define svconn_ge_base_more copy_ge_base_more
#define svconn_ge_double_begin copy_ge_double_begin
#define svconn_ge_double_more copy_ge_double_more
#define svconn_ge_encode copy_ge_encode
#define svconn_ge_decode_begin copy_ge_decode_begin
#define svconn_ge_decode_more copy_ge_decode_more
#define svconn_ge_decode_end copy_ge_decode_end
#define svconn_ge_has_small_order copy_ge_has_small_order
#define svconn_ge_recode copy_ge_recode
#define svconn_ge_naf copy_ge_naf
#define svconn_x25519 copy_x25519
#define svconn_x25519_public copy_x25519_public
#define svconn_x25519_slice copy_x25519_slice
#define svconn_x25519_pair copy_x25519_pair
#define svconn_x25519_pair_slice copy_x25519_pair_slice
#define svconn_x25519_public_slice copy_x25519_public_slice
#define svconn_ed25519_public copy_ed25519_public
#define svconn_ed25519_sign copy_ed25519_sign
#define svconn_ed25519_verify copy_ed25519_verify
#define svconn_ed25519_sign_slice copy_ed25519_sign_slice
#define svconn_ed25519_verify_u copy_ed25519_verify_u
#define svconn_ed25519_verify_u_slice copy_ed25519_verify_u_slice
#define svconn_ed25519_check copy_ed25519_check
#define svconn_ed25519_to_x25519 copy_ed25519_to_x25519
#define svconn_ed25519_seed_to_x25519 copy_ed25519_seed_to_x25519

#endif
