/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL 3, through EVP, and TLS 1.3: TLS_AES_256_GCM_SHA384, X25519, an Ed25519 certificate on both sides, no
 * tickets, no cache. OPENSSL_ia32cap (its manual page): "portable" hides AES-NI, PCLMULQDQ, SSSE3, AVX, and in the
 * second word all of BMI, ADX, AVX2, AVX-512, SHA; what is left is assembly for any x86-64.
 */
#include "bench.h"
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static EVP_CIPHER *cipher;
static EVP_MD *sha256, *sha512;
static EVP_CIPHER_CTX *seal, *open_, *key;
static EVP_MD_CTX *hash, *sign, *verify;
static EVP_PKEY_CTX *dh;
static SSL_CTX *client_ctx, *server_ctx;
typedef struct {
    SSL *client, *server;
    BIO *to_client, *to_server; /* what the other one has written */
} link;
static link connection;

static const char *version(void) { return OpenSSL_version(OPENSSL_VERSION); }
static void must(int good, const char *what) {
    if (!good) bench_fail("openssl", what);
}

/* ---- primitives ----------------------------------------------------------------------------------------------------
 */
static void run_gcm_key(size_t len) {
    (void)len;
    must(EVP_EncryptInit_ex(key, NULL, NULL, bench_key, NULL), "key");
}
static void run_gcm_seal(size_t len) {
    int n;
    must(EVP_EncryptInit_ex(seal, NULL, NULL, NULL, bench_nonce) &&
             EVP_EncryptUpdate(seal, NULL, &n, bench_aad, sizeof bench_aad) &&
             EVP_EncryptUpdate(seal, bench_out, &n, bench_in, (int)len) &&
             EVP_EncryptFinal_ex(seal, bench_out + len, &n) &&
             EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_GET_TAG, 16, bench_out + len),
         "seal");
}
static void run_gcm_open(size_t len) {
    int n;
    must(EVP_DecryptInit_ex(open_, NULL, NULL, NULL, bench_nonce) &&
             EVP_DecryptUpdate(open_, NULL, &n, bench_aad, sizeof bench_aad) &&
             EVP_DecryptUpdate(open_, bench_out, &n, bench_sealed, (int)len) &&
             EVP_CIPHER_CTX_ctrl(open_, EVP_CTRL_AEAD_SET_TAG, 16, bench_sealed + len) &&
             EVP_DecryptFinal_ex(open_, bench_out + len, &n) > 0,
         "open");
}
static void run_hash(const EVP_MD *md, size_t len) {
    must(EVP_DigestInit_ex(hash, md, NULL) && EVP_DigestUpdate(hash, bench_in, len) &&
             EVP_DigestFinal_ex(hash, bench_out, NULL),
         "hash");
}
static void run_sha256(size_t len) { run_hash(sha256, len); }
static void run_sha512(size_t len) { run_hash(sha512, len); }
static void run_x25519(size_t len) { /* both keys are objects already */
    (void)len;
    size_t n = 32;
    must(EVP_PKEY_derive(dh, bench_out, &n) > 0, "x25519");
}
/* A private key from bytes computes its public key: key generation without the random source. */
static void run_keygen(int type, const uint8_t *secret) {
    size_t n = 32;
    EVP_PKEY *k = EVP_PKEY_new_raw_private_key(type, NULL, secret, 32);
    must(k && EVP_PKEY_get_raw_public_key(k, bench_out, &n), "keygen");
    EVP_PKEY_free(k);
}
static void run_x25519_keygen(size_t len) { (void)len, run_keygen(EVP_PKEY_X25519, bench_scalar); }
static void run_ed25519_keygen(size_t len) { (void)len, run_keygen(EVP_PKEY_ED25519, bench_seed); }
static void run_ed25519_sign(size_t len) {
    size_t n = 64;
    (void)len;
    must(EVP_DigestSign(sign, bench_out, &n, bench_message, BENCH_MESSAGE), "sign");
}
static void run_ed25519_verify(size_t len) {
    (void)len;
    must(EVP_DigestVerify(verify, bench_signature, 64, bench_message, BENCH_MESSAGE) > 0, "verify");
}

/* ---- TLS
 * ------------------------------------------------------------------------------------------------------------- */
static X509 *certificate(EVP_PKEY *k, const char *name) {
    X509 *x = X509_new();
    must(x && X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
             X509_gmtime_adj(X509_getm_notBefore(x), -3600) && X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 30) &&
             X509_set_pubkey(x, k) &&
             X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                        -1, 0) &&
             X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_sign(x, k, NULL),
         "certificate");
    return x;
}

static SSL_CTX *context(const SSL_METHOD *method, EVP_PKEY *k, X509 *own, X509 *peer) {
    static char groups[] = "X25519", algorithms[] = "ed25519"; /* not const: the macros cast it away */
    SSL_CTX *c = SSL_CTX_new(method);
    must(c && SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) &&
             SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384") && SSL_CTX_set1_groups_list(c, groups) &&
             SSL_CTX_set1_sigalgs_list(c, algorithms) && SSL_CTX_use_certificate(c, own) &&
             SSL_CTX_use_PrivateKey(c, k) && X509_STORE_add_cert(SSL_CTX_get_cert_store(c), peer) &&
             SSL_CTX_set_num_tickets(c, 0),
         "context");
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return c;
}

static void step(SSL *s) {
    int r = SSL_do_handshake(s);
    must(r == 1 || SSL_get_error(s, r) == SSL_ERROR_WANT_READ, "handshake");
}

static link connect_both(void) {
    link l = {SSL_new(client_ctx), SSL_new(server_ctx), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    must(l.client && l.server && l.to_client && l.to_server && BIO_up_ref(l.to_client) && BIO_up_ref(l.to_server),
         "memory");
    BIO_set_mem_eof_return(l.to_client, -1);
    BIO_set_mem_eof_return(l.to_server, -1);
    SSL_set_bio(l.client, l.to_client, l.to_server);
    SSL_set_bio(l.server, l.to_server, l.to_client);
    SSL_set_connect_state(l.client);
    SSL_set_accept_state(l.server);
    for (int i = 0; i < 4 && !(SSL_is_init_finished(l.client) && SSL_is_init_finished(l.server)); i++)
        step(l.client), step(l.server);
    must(SSL_is_init_finished(l.client) && SSL_is_init_finished(l.server), "handshake");
    return l;
}

static void run_handshake(size_t len) {
    (void)len;
    link l = connect_both();
    SSL_free(l.client);
    SSL_free(l.server);
}

static void run_record(size_t len) {
    size_t n;
    must(SSL_write_ex(connection.client, bench_in, len, &n) && n == len &&
             SSL_read_ex(connection.server, bench_out, len, &n) && n == len,
         "record");
}

/* ---- setting up
 * --------------------------------------------------------------------------------------------------------- */
static void begin_primitives(void) {
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    seal = EVP_CIPHER_CTX_new(), open_ = EVP_CIPHER_CTX_new(), key = EVP_CIPHER_CTX_new();
    hash = EVP_MD_CTX_new(), sign = EVP_MD_CTX_new(), verify = EVP_MD_CTX_new();
    must(EVP_EncryptInit_ex(seal, cipher, NULL, bench_key, NULL) &&
             EVP_DecryptInit_ex(open_, cipher, NULL, bench_key, NULL) &&
             EVP_EncryptInit_ex(key, cipher, NULL, bench_key, NULL),
         "AES-256-GCM");
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, bench_scalar, 32);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, bench_point, 32);
    EVP_PKEY *signer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bench_seed, 32);
    dh = EVP_PKEY_CTX_new(own, NULL);
    must(EVP_PKEY_derive_init(dh) > 0 && EVP_PKEY_derive_set_peer(dh, peer) > 0, "X25519");
    must(EVP_DigestSignInit(sign, NULL, NULL, NULL, signer) && EVP_DigestVerifyInit(verify, NULL, NULL, NULL, signer),
         "Ed25519");
}

static void begin_tls(void) {
    uint8_t seed[32] = {1};
    EVP_PKEY *server_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    seed[0] = 2;
    EVP_PKEY *client_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    X509 *server = certificate(server_key, "server"), *client = certificate(client_key, "client");
    server_ctx = context(TLS_server_method(), server_key, server, client);
    client_ctx = context(TLS_client_method(), client_key, client, server);
    connection = connect_both();
}

static int enter(size_t mode) {
    static int begun;
    (void)mode;
    if (!begun) begin_primitives(), begin_tls();
    begun = 1;
    return 1;
}

static const bench_mode modes[] = {
    {NULL, BENCH_ALL_BITS, 0, NULL, NULL},
#ifdef __x86_64__
    {"portable", BENCH_ALL_BITS, 1, "OPENSSL_ia32cap", "~0x1a00020200000000:~0xffffffffffffffff"},
#endif
};
const bench_peer bench_openssl = {"openssl",
                                  version,
                                  modes,
                                  sizeof modes / sizeof modes[0],
                                  enter,
                                  {run_gcm_key, run_gcm_seal, run_gcm_open, run_sha256, run_sha512, run_x25519,
                                   run_x25519_keygen, run_ed25519_keygen, run_ed25519_sign, run_ed25519_verify,
                                   run_handshake, NULL, run_record},
                                  NULL};
