/*
 * libsrtp2 as a process: requests on stdin, answers on stdout, until stdin ends. peer.rs is the other side.
 *
 * request: length u32 | operation u8 | body          answer: length u32 | srtp_err_status_t u8 | body
 *
 * operation                     body of the request                                              body of the answer
 * 'n' new session               profile u8 | whose u8 | ssrc u32 | window u32 | keys             session u32
 *                               a key: MKI length u8 | MKI | length of key and salt u8 | key and salt; up to MAX_KEYS of them
 * 'f' free a session            session u32
 * 'P' 'U' protect, unprotect    session u32 | key u8 | packet: RTP, SRTP                         packet: SRTP, RTP
 * 'p' 'u' protect, unprotect    session u32 | key u8 | packet: RTCP, SRTCP                       packet: SRTCP, RTCP
 * 'R' set the rollover counter  session u32 | ssrc u32 | counter u32
 * 'r' get the rollover counter  session u32 | ssrc u32                                           counter u32
 *
 * Integers are big-endian. `key` counts from 0 and chooses the MKI to send with; sessions whose keys have no MKI ignore it.
 * A request that does not fit this table is a mistake of the test, and ends the process.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <srtp2/srtp.h>

enum { MAX_PACKET = 65535, MAX_FRAME = MAX_PACKET + 1024, MAX_SESSIONS = 64, MAX_KEYS = 4 };

struct session {
    srtp_t srtp;
    int used;
    int with_mki;
};

/* What is left to read of a request. */
struct reader {
    const uint8_t *at;
    size_t left;
};

static struct session sessions[MAX_SESSIONS];

static void answer(srtp_err_status_t status, const void *body, size_t length);
static void give_up(const char *why);

static const uint8_t *take(struct reader *request, size_t length)
{
    const uint8_t *at = request->at;
    if (request->left < length)
        give_up("the request ends early");
    request->at += length;
    request->left -= length;
    return at;
}

static uint8_t take_u8(struct reader *request)
{
    return *take(request, 1);
}

static uint32_t take_u32(struct reader *request)
{
    const uint8_t *at = take(request, 4);
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_u32(uint8_t *at, uint32_t value)
{
    at[0] = value >> 24;
    at[1] = value >> 16;
    at[2] = value >> 8;
    at[3] = value;
}

static struct session *take_session(struct reader *request)
{
    uint32_t number = take_u32(request);
    if (number >= MAX_SESSIONS || !sessions[number].used)
        give_up("no such session");
    return &sessions[number];
}

/* Profiles by their numbers in DTLS-SRTP; 3 and 4 are AES_256_CM, which have none there. */
static void set_profile(srtp_policy_t *policy, uint8_t profile)
{
    switch (profile) {
    case 1:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
        return;
    case 2: /* the short tag is for SRTP only: RFC 5764, section 4.1.2 */
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
        return;
    case 3:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
        return;
    case 4:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
        return;
    case 5:
    case 6:
        srtp_crypto_policy_set_null_cipher_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_null_cipher_hmac_sha1_80(&policy->rtcp);
        if (profile == 6)
            policy->rtp.auth_tag_len = 4;
        return;
    case 7:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
        return;
    case 8:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
        return;
    default:
        give_up("no such profile");
    }
}

static void new_session(struct reader *request)
{
    static uint8_t material[MAX_KEYS][2][256]; /* MKI; key and salt */
    srtp_master_key_t keys[MAX_KEYS];
    srtp_master_key_t *list[MAX_KEYS];
    srtp_policy_t policy = { 0 };
    uint32_t number = 0;
    uint8_t reply[4];
    srtp_err_status_t status;

    while (number < MAX_SESSIONS && sessions[number].used)
        number++;
    if (number == MAX_SESSIONS)
        give_up("too many sessions");

    set_profile(&policy, take_u8(request));
    policy.ssrc.type = (srtp_ssrc_type_t)take_u8(request);
    policy.ssrc.value = take_u32(request);
    policy.window_size = take_u32(request);
    policy.keys = list;
    while (request->left > 0) {
        srtp_master_key_t *key = &keys[policy.num_master_keys];
        uint8_t(*bytes)[256] = material[policy.num_master_keys];
        uint8_t length;
        if (policy.num_master_keys == MAX_KEYS)
            give_up("too many keys");
        key->mki_size = take_u8(request);
        key->mki_id = memcpy(bytes[0], take(request, key->mki_size), key->mki_size);
        length = take_u8(request);
        key->key = memcpy(bytes[1], take(request, length), length);
        list[policy.num_master_keys++] = key;
    }
    if (policy.num_master_keys == 0)
        give_up("no key");

    status = srtp_create(&sessions[number].srtp, &policy);
    if (status == srtp_err_status_ok) {
        sessions[number].used = 1;
        sessions[number].with_mki = keys[0].mki_size > 0;
    }
    put_u32(reply, number);
    answer(status, reply, sizeof reply);
}

static void free_session(struct reader *request)
{
    struct session *session = take_session(request);
    session->used = 0;
    answer(srtp_dealloc(session->srtp), "", 0);
}

static void packet(uint8_t operation, struct reader *request)
{
    /* libsrtp2 wants the packet aligned, and room behind it for what it appends. */
    static union {
        uint32_t align;
        uint8_t bytes[MAX_PACKET + SRTP_MAX_TRAILER_LEN + 4];
    } buffer;
    struct session *session = take_session(request);
    uint8_t key = take_u8(request);
    int length = (int)request->left;
    srtp_err_status_t status = srtp_err_status_fail;

    if (request->left > MAX_PACKET)
        give_up("the packet is too long");
    memcpy(buffer.bytes, request->at, request->left);
    switch (operation) {
    case 'P':
        status = srtp_protect_mki(session->srtp, buffer.bytes, &length, session->with_mki, key);
        break;
    case 'U':
        status = srtp_unprotect_mki(session->srtp, buffer.bytes, &length, session->with_mki);
        break;
    case 'p':
        status = srtp_protect_rtcp_mki(session->srtp, buffer.bytes, &length, session->with_mki, key);
        break;
    case 'u':
        status = srtp_unprotect_rtcp_mki(session->srtp, buffer.bytes, &length, session->with_mki);
        break;
    }
    answer(status, buffer.bytes, status == srtp_err_status_ok ? (size_t)length : 0);
}

static void set_rollover_counter(struct reader *request)
{
    struct session *session = take_session(request);
    uint32_t ssrc = take_u32(request);
    answer(srtp_set_stream_roc(session->srtp, ssrc, take_u32(request)), "", 0);
}

static void get_rollover_counter(struct reader *request)
{
    struct session *session = take_session(request);
    uint32_t counter = 0;
    uint8_t reply[4];
    srtp_err_status_t status = srtp_get_stream_roc(session->srtp, take_u32(request), &counter);
    put_u32(reply, counter);
    answer(status, reply, sizeof reply);
}

static void answer(srtp_err_status_t status, const void *body, size_t length)
{
    uint8_t head[5];
    put_u32(head, (uint32_t)(1 + length));
    head[4] = (uint8_t)status;
    if (fwrite(head, 1, sizeof head, stdout) != sizeof head || fwrite(body, 1, length, stdout) != length || fflush(stdout))
        give_up("nobody reads the answer");
}

static void give_up(const char *why)
{
    fprintf(stderr, "peer.c: %s\n", why);
    exit(2);
}

int main(void)
{
    static uint8_t frame[MAX_FRAME];
    uint8_t head[4];

    if (srtp_init() != srtp_err_status_ok)
        give_up("libsrtp2 does not start");
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        struct reader length = { head, sizeof head };
        struct reader request = { frame, take_u32(&length) };
        uint8_t operation;
        if (request.left > MAX_FRAME || fread(frame, 1, request.left, stdin) != request.left)
            give_up("the request is too long, or ends early");
        operation = take_u8(&request);
        switch (operation) {
        case 'n':
            new_session(&request);
            break;
        case 'f':
            free_session(&request);
            break;
        case 'P':
        case 'U':
        case 'p':
        case 'u':
            packet(operation, &request);
            break;
        case 'R':
            set_rollover_counter(&request);
            break;
        case 'r':
            get_rollover_counter(&request);
            break;
        default:
            give_up("no such operation");
        }
    }
    return 0;
}
