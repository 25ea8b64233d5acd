#ifndef KRB_KEYTAB_PROBE_H
#define KRB_KEYTAB_PROBE_H

#include <stdint.h>

/*
 * For tests: a keytab, format 2: one key of myproxy/host.test@TEST.REALM,
 * kvno 1, aes128-cts-hmac-sha1-96, all zeroes.
 */
static const uint8_t keytab_probe[] = { 5, 2, 0, 0, 0, 0x46, 0, 2, 0, 10, 'T',
	'E', 'S', 'T', '.', 'R', 'E', 'A', 'L', 'M', 0, 7, 'm', 'y', 'p', 'r',
	'o', 'x', 'y', 0, 9, 'h', 'o', 's', 't', '.', 't', 'e', 's', 't', 0, 0,
	0, 1, 0, 0, 0, 0, 1, 0, 17, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 1 };

#endif
