/*
 * One libsrtp2 beside the others: measures cells by the method of ../srtp/in_process.rs, on the packets of
 * ../srtp/packets.rs.
 *
 * Says its version on the first line. Then a line on stdin is a cell, and a line on stdout its answer:
 *   measure PROFILE rtp|rtcp protect|unprotect PAYLOAD STREAMS WINDOW WARM_UP REPETITIONS    nanoseconds a packet
 *   show    PROFILE rtp|rtcp protect|unprotect PAYLOAD STREAMS WINDOW 0 1                    the last packet, hexadecimal
 * Any failure of the library ends the program: a peer that refuses its work is not measured as fast.
 */
#include <srtp2/srtp.h>
#ifdef WITH_OPENSSL
#include <openssl/crypto.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 256, ROOM = 2048, MAX_REPETITIONS = 1000 };

struct profile {
    const char *name;
    void (*rtp)(srtp_crypto_policy_t *);
    void (*rtcp)(srtp_crypto_policy_t *);
    int key_len, salt_len;
};

/* RFC 5764, section 4.1.2: a short tag is for RTP only. */
static const struct profile PROFILES[] = {
    { "AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtcp_default, 16, 14 },
    { "AES_CM_128_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_rtcp_default, 16, 14 },
    { "AES_256_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, 32, 14 },
    { "AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_128_16_auth, 16, 12 },
    { "AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth, 32, 12 },
};

struct cell {
    const struct profile *profile;
    int rtcp, unprotect, payload, streams, window, warm_up, repetitions;
};

typedef srtp_err_status_t operation(srtp_t, void *, int *);

struct packet {
    _Alignas(16) unsigned char bytes[ROOM];
    int len;
};

static struct packet batch[BATCH];

static void must(srtp_err_status_t status, const char *what) {
    if (status != srtp_err_status_ok) {
        fprintf(stderr, "libsrtp2: %s failed with status %d\n", what, (int)status);
        exit(1);
    }
}

static srtp_t session(const struct cell *cell, int inbound) {
    unsigned char key[64];
    int key_len = cell->profile->key_len, salt_len = cell->profile->salt_len;
    for (int n = 0; n < key_len; n++) key[n] = n * 37 + 11;
    for (int n = 0; n < salt_len; n++) key[key_len + n] = (100 + n) * 37 + 11;
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    cell->profile->rtp(&policy.rtp);
    cell->profile->rtcp(&policy.rtcp);
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = key;
    policy.window_size = cell->window;
    srtp_t made;
    must(srtp_create(&made, &policy), "srtp_create");
    return made;
}

static unsigned char *put(unsigned char *at, unsigned value, int bytes) {
    while (bytes--) *at++ = value >> (8 * bytes);
    return at;
}

static void rtp(struct packet *packet, const struct cell *cell, unsigned number) {
    unsigned sequence = number / cell->streams;
    unsigned char *at = put(packet->bytes, 0x806f, 2);
    at = put(at, sequence, 2);
    at = put(at, sequence * 960, 4);
    at = put(at, 0xcafe0000u + number % cell->streams, 4);
    for (int n = 0; n < cell->payload; n++) *at++ = number * 31 + n * 7;
    packet->len = at - packet->bytes;
}

static void rtcp(struct packet *packet, const struct cell *cell, unsigned number) {
    unsigned ssrc = 0xcafe0000u + number % cell->streams;
    unsigned char *at = put(packet->bytes, 0x81c8000c, 4); /* a sender report with one block */
    at = put(at, ssrc, 4);
    for (int n = 0; n < 11; n++) at = put(at, number * 0x01000193u + n, 4);
    at = put(at, 0x81ca000b, 4); /* the name of one source */
    at = put(at, ssrc, 4);
    at = put(at, 0x0124, 2);
    for (int n = 0; n < 36; n++) *at++ = 'a' + n % 26;
    at = put(at, 0, 2);
    packet->len = at - packet->bytes;
}

static void run(operation *operate, srtp_t session, const char *what) {
    for (int n = 0; n < BATCH; n++) must(operate(session, batch[n].bytes, &batch[n].len), what);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The median of the repetitions; the last batch stays as the operation left it. */
static double measure(const struct cell *cell) {
    operation *protect = cell->rtcp ? srtp_protect_rtcp : srtp_protect;
    operation *unprotect = cell->rtcp ? srtp_unprotect_rtcp : srtp_unprotect;
    srtp_t sender = session(cell, 0), receiver = session(cell, 1);
    double times[MAX_REPETITIONS];
    unsigned number = 0;
    for (int repetition = -cell->warm_up; repetition < cell->repetitions; repetition++) {
        for (int n = 0; n < BATCH; n++, number++) (cell->rtcp ? rtcp : rtp)(&batch[n], cell, number);
        if (cell->unprotect) run(protect, sender, "protect");
        double begin = now();
        if (cell->unprotect) run(unprotect, receiver, "unprotect");
        else run(protect, sender, "protect");
        double end = now();
        if (repetition >= 0) times[repetition] = (end - begin) / BATCH;
    }
    must(srtp_dealloc(sender), "srtp_dealloc");
    must(srtp_dealloc(receiver), "srtp_dealloc");
    qsort(times, cell->repetitions, sizeof *times, ascending);
    return times[cell->repetitions / 2];
}

static void answer(const char *line) {
    char verb[16], profile[32], kind[16], direction[16];
    struct cell cell = { 0 };
    int read = sscanf(line, "%15s %31s %15s %15s %d %d %d %d %d", verb, profile, kind, direction, &cell.payload, &cell.streams,
                      &cell.window, &cell.warm_up, &cell.repetitions);
    for (size_t n = 0; n < sizeof PROFILES / sizeof *PROFILES; n++)
        if (read == 9 && !strcmp(profile, PROFILES[n].name)) cell.profile = &PROFILES[n];
    if (!cell.profile || cell.payload < 0 || cell.payload > ROOM - 256 || cell.streams < 1 || cell.repetitions < 1 ||
        cell.repetitions > MAX_REPETITIONS) {
        fprintf(stderr, "libsrtp2: not a cell: %s", line);
        exit(1);
    }
    cell.rtcp = !strcmp(kind, "rtcp");
    cell.unprotect = !strcmp(direction, "unprotect");
    double median = measure(&cell);
    if (strcmp(verb, "show")) {
        printf("%.2f\n", median);
        return;
    }
    for (int n = 0; n < batch[BATCH - 1].len; n++) printf("%02x", batch[BATCH - 1].bytes[n]);
    printf("\n");
}

int main(void) {
    must(srtp_init(), "srtp_init");
#ifdef WITH_OPENSSL
    printf("%s with %s\n", srtp_get_version_string(), OpenSSL_version(OPENSSL_VERSION));
#else
    printf("%s of the system\n", srtp_get_version_string());
#endif
    fflush(stdout);
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        answer(line);
        fflush(stdout);
    }
    return 0;
}
