#include "base/fault.h"
#include "ledger/ledger_book.h"
#include "x509/cert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In whatever reads as a certificate, the ledger sees the serial that all
 * others see; and what it sees is 1 to 20 octets of the input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_bytes der = { data, size };
	struct wire_bytes serial = ledger_der_serial(der);
	uint8_t padded[LEDGER_SERIAL_SIZE];
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = cert_read(der, &f);

	if (serial.len > 0 &&
	    (serial.data < data || serial.data + serial.len > data + size))
		abort();
	if (cert == NULL)
		return 0;
	if (ledger_serial_pad(serial, padded, &f) < 0 ||
	    memcmp(padded + sizeof(padded) - cert->serial_len, cert->serial,
		cert->serial_len) != 0)
		abort();
	for (size_t i = 0; i < sizeof(padded) - cert->serial_len; i++)
		if (padded[i] != 0)
			abort();
	return 0;
}
