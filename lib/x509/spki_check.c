/* Which public keys may be certified. */
#include "base/fault.h"
#include "base/text.h"
#include "x509/key.h"
#include "x509/spki_rsa.h"

#include <string.h>

#define RSA_LEAST 1024
#define RSA_MOST 16384
#define RULES_MAX 128

/* The odd primes up to 751. */
static const uint16_t primes[] = { 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41,
	43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
	127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
	197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271,
	277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359,
	367, 373, 379, 383, 389, 397, 401, 409, 419, 421, 431, 433, 439, 443,
	449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509, 521, 523, 541,
	547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619,
	631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719,
	727, 733, 739, 743, 751 };

#define PRIMES (sizeof(primes) / sizeof(primes[0]))
/* Those up to 167: their product divides the primorial that even the shortest
 * ROCA keys (512 bits) were made with. */
#define ROCA_PRIMES 38
#define ROCA_BASE 65537

/* Some primes whose product fits 32 bits, and a number modulo that. */
struct group {
	uint64_t product;
	uint64_t inverse; /* 2^64 / product, rounded down */
	uint64_t rest;
};

/* Put the primes into groups; how many there are. */
static size_t
make_groups(struct group groups[PRIMES])
{
	size_t count = 0;
	uint64_t product = 1;

	for (size_t i = 0; i < PRIMES; i++) {
		product *= primes[i];
		if (i + 1 < PRIMES && product * primes[i + 1] <= UINT32_MAX)
			continue;
		groups[count].product = product;
		groups[count].inverse = UINT64_MAX / product;
		groups[count].rest = 0;
		count++;
		product = 1;
	}
	return count;
}

/*
 * One more 32 bits of the number.  The quotient is got by multiplying with
 * the inverse, which is at most one too small: a division costs ten times as
 * much, and every logon waits for this.
 */
static void
take_word(struct group *groups, size_t count, uint32_t word)
{
	for (size_t i = 0; i < count; i++) {
		struct group *g = &groups[i];
		uint64_t x = g->rest << 32 | word;
		uint64_t quotient =
		    (uint64_t)((unsigned __int128)x * g->inverse >> 64);

		x -= quotient * g->product;
		g->rest = x >= g->product ? x - g->product : x;
	}
}

/* ${n} modulo each prime. */
static void
divide(struct wire_bytes n, uint32_t rest[PRIMES])
{
	struct group groups[PRIMES];
	size_t count = make_groups(groups), group = 0;
	uint32_t word = 0;
	uint64_t product = 1;

	for (size_t i = 0; i < n.len; i++) {
		word = word << 8 | n.data[i];
		/* The first word may be short: whole ones end with ${n}. */
		if ((n.len - 1 - i) % 4 != 0)
			continue;
		take_word(groups, count, word);
		word = 0;
	}
	for (size_t i = 0; i < PRIMES; i++) {
		rest[i] = (uint32_t)(groups[group].rest % primes[i]);
		product *= primes[i];
		if (product == groups[group].product) {
			group++;
			product = 1;
		}
	}
}

/* Whether ${rest} is a power of 65537 modulo ${prime}. */
static bool
is_power(uint32_t rest, uint32_t prime)
{
	uint32_t power = 1;

	do {
		if (power == rest)
			return true;
		power = power * (ROCA_BASE % prime) % prime;
	} while (power != 1);
	return false;
}

/*
 * Whether the modulus has the form that a broken smart card library gave it:
 * a power of 65537 modulo every small prime (CVE-2017-15361).  One modulus in
 * 2^27 looks so by chance.
 */
static bool
is_roca(const uint32_t rest[PRIMES])
{
	for (size_t i = 0; i < ROCA_PRIMES; i++)
		if (!is_power(rest[i], primes[i]))
			return false;
	return true;
}

static int
check_modulus(const struct spki *spki, struct fault *f)
{
	uint32_t rest[PRIMES];
	struct spki_rsa rsa;

	if (spki_rsa(spki->bits, &rsa) < 0)
		return fault_set(f, FAULT_KEY, "malformed RSA key: RFC 3279");
	divide(rsa.n, rest);
	for (size_t i = 0; i < PRIMES; i++)
		if (rest[i] == 0)
			return fault_set(f, FAULT_KEY,
			    "an RSA modulus that %u divides", primes[i]);
	if (is_roca(rest))
		return fault_set(f, FAULT_KEY,
		    "an RSA key of the ROCA form (CVE-2017-15361)");
	return 0;
}

int
spki_check(const struct spki *spki, const struct key_rules *rules,
    struct fault *f)
{
	switch (spki->kind) {
	case KEY_RSA:
		if (rules->least_rsa == 0)
			return fault_set(f, FAULT_KEY,
			    "RSA keys are not accepted here");
		if (spki->size < rules->least_rsa)
			return fault_set(f, FAULT_KEY,
			    "an RSA key of %u bits; %u are the least",
			    spki->size, rules->least_rsa);
		return check_modulus(spki, f);
	case KEY_P256:
		if (rules->p256)
			return 0;
		return fault_set(f, FAULT_KEY,
		    "P-256 keys are not accepted here");
	case KEY_P384:
		if (rules->p384)
			return 0;
		return fault_set(f, FAULT_KEY,
		    "P-384 keys are not accepted here");
	case KEY_OTHER:
		break;
	}
	return fault_set(f, FAULT_KEY, "a key of an unknown kind");
}

static int
read_rule(struct key_rules *rules, const char *rule, struct fault *f)
{
	int64_t bits;

	if (strcmp(rule, "ec:P-256") == 0) {
		rules->p256 = true;
		return 0;
	}
	if (strcmp(rule, "ec:P-384") == 0) {
		rules->p384 = true;
		return 0;
	}
	if (!text_starts(rule, "rsa:") ||
	    text_number(rule + 4, RSA_LEAST, RSA_MOST, &bits) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "no such kind of key: \"%s\"; there are rsa:BITS (%d to "
		    "%d), ec:P-256 and ec:P-384",
		    rule, RSA_LEAST, RSA_MOST);
	rules->least_rsa = (unsigned)bits;
	return 0;
}

int
key_rules_read(struct key_rules *rules, const char *text, struct fault *f)
{
	struct key_rules found = { 0 };
	char words[RULES_MAX], *rest = NULL;
	int count = 0;

	if (text_copy(words, sizeof(words), text) < 0)
		return fault_set(f, FAULT_CONFIG, "a list of keys too long");
	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest), count++)
		if (read_rule(&found, word, f) < 0)
			return -1;
	if (count == 0)
		return fault_set(f, FAULT_CONFIG, "no kind of key is allowed");
	*rules = found;
	return 0;
}
