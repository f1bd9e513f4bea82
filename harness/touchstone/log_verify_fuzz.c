/*
 * Nothing that was not signed is genuine: octets as they come, and a genuine
 * log in which they stand in place of others.
 */
#include "log_rig_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
judge(const struct log_identity *own, struct bytes file, struct bytes genuine)
{
	struct bytes log = bytes_of_text("a line\n");
	struct log_report found = {0};

	log_verify(file, &own->x509, &log, &found);
	if (found.genuine && !bytes_equal(file, genuine))
		abort();
	log_report_clear(&found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static struct log_identity own;
	static struct buf genuine[2];
	struct buf file = {0};
	struct bytes whole;
	size_t place;

	if (own.key == NULL) {
		log_identity_make(&own);
		log_sign(&own, LOG_MULTIPART, "20261121232601Z", "a line\n",
		    &genuine[0]);
		log_sign(&own, LOG_OPAQUE, "20261121232601Z", "a line\n",
		    &genuine[1]);
	}
	judge(&own, (struct bytes){data, octets}, BYTES_NONE);
	if (octets < 4)
		return 0;
	whole = buf_peek(&genuine[data[0] & 1]);
	place = (size_t)bytes_number(data + 1, 2) % whole.octets;
	data += 4;
	octets -= 4;
	buf_put(&file, (struct bytes){whole.at, place});
	buf_put(&file, (struct bytes){data, octets});
	if (place + octets < whole.octets)
		buf_put(&file, (struct bytes){whole.at + place + octets,
				   whole.octets - place - octets});
	judge(&own, buf_peek(&file), whole);
	buf_clear(&file);
	return 0;
}
