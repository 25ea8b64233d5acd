#ifndef BASE_SIP_H
#define BASE_SIP_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a hash for tables whose keys
 * strangers choose.  Without the key nobody can choose names that fall
 * together.
 */
#define SIP_KEY 16

uint64_t sip_hash(const uint8_t key[SIP_KEY], const void *data, size_t len);

#endif
