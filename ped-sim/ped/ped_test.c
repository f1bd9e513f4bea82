#include "ped/ped.h"

#include <fcntl.h>

#include "base/rig_test.h"
#include "ikey/sample_test.h"
#include "ikey/shamir.h"
#include "link/channel.h"
#include "link/message.h"
#include "ped/device.h"

/*
 * A PED in the hands of the test, which is the card at the other end too, and
 * moves the time.
 */
struct bench {
	struct rig rig;
	struct ped_config config;
	struct ped *ped;
	enum ped_line line; /* what the device wants */
	unsigned lines;     /* how often it said so */
	unsigned drops;
	unsigned shown;
	struct buf sent; /* to the card, not yet read */
	struct channel *card;
	struct buf room;
	char dir[256];
};

static void
bench_shown(void *ctx)
{
	struct bench *b = ctx;

	b->shown++;
}

static void
bench_line(void *ctx, enum ped_line line)
{
	struct bench *b = ctx;

	b->line = line;
	b->lines++;
}

static void
bench_drop(void *ctx)
{
	struct bench *b = ctx;

	b->drops++;
}

static void
bench_send(void *ctx, struct bytes octets)
{
	struct bench *b = ctx;

	assert_int_equal(buf_put(&b->sent, octets), OK);
}

static void
bench_init(struct bench *b)
{
	const char *dir = getenv("TMPDIR");

	memset(b, 0, sizeof(*b));
	assert_int_equal(rig_init(&b->rig), OK);
	(void)snprintf(b->dir, sizeof(b->dir), "%s/ped.XXXXXX",
	    dir != NULL ? dir : "/tmp");
	assert_non_null(mkdtemp(b->dir));
	b->config = (struct ped_config){
	    .env = b->rig.env,
	    .loop = b->rig.loop,
	    .shown = bench_shown,
	    .line = bench_line,
	    .drop = bench_drop,
	    .send = bench_send,
	    .ctx = b,
	};
	buf_init(&b->sent, 1 << 16);
	buf_init(&b->room, 1 << 16);
	assert_int_equal(ped_new(&b->config, &b->ped), OK);
}

static void
bench_on(struct bench *b)
{
	bench_init(b);
	ped_power_on(b->ped);
}

static void
bench_clear(struct bench *b)
{
	char command[300];

	ped_free(b->ped);
	channel_free(b->card);
	buf_clear(&b->sent);
	buf_clear(&b->room);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", b->dir);
	assert_int_equal(system(command), 0);
	rig_clear(&b->rig);
}

/* ---- hands and eyes ---- */

/* The display's lines, apart by LF, without dark ones at the end. */
static const char *
screen(const struct bench *b)
{
	static char text[DISPLAY_LINES * (DISPLAY_COLUMNS + 1) + 1];
	const struct display *d = ped_display(b->ped);
	size_t at = 0;
	size_t end = 0;
	unsigned k;

	for (k = 0; k < DISPLAY_LINES; k++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
		    k != 0 ? "\n" : "", d->lines[k]);
		if (d->lines[k][0] != '\0')
			end = at;
	}
	text[end] = '\0';
	return text;
}

/* Words apart by blanks: keys, or digits of a number. */
static void
press(struct bench *b, const char *words)
{
	enum ped_key key;

	while (*words != '\0') {
		size_t octets = strcspn(words, " ");
		struct bytes word = {(const uint8_t *)words, octets};

		if (*words >= '0' && *words <= '9')
			octets = word.octets = 1;
		assert_true(ped_key_find(word, &key));
		if (!ped_press(b->ped, key))
			fail_msg("%s is not taken at: %s", words, screen(b));
		words += octets;
		words += *words == ' ';
	}
}

static const char *
ikey_path(const struct bench *b, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static void
write_file(const char *path, const uint8_t *at, size_t octets)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, at, octets), octets);
	close(fd);
}

static void
save(const struct bench *b, const char *name, const struct ikey *key)
{
	uint8_t octets[IKEY_OCTETS];

	assert_int_equal(ikey_write(key, octets), OK);
	write_file(ikey_path(b, name), octets, sizeof(octets));
}

static struct ikey
load(const struct bench *b, const char *name)
{
	uint8_t octets[IKEY_OCTETS + 1];
	struct ikey key;
	ssize_t got;
	int fd = open(ikey_path(b, name), O_RDONLY);

	assert_true(fd >= 0);
	got = read(fd, octets, sizeof(octets));
	close(fd);
	assert_int_equal(got, IKEY_OCTETS);
	assert_int_equal(
	    ikey_read((struct bytes){octets, IKEY_OCTETS}, &key), OK);
	return key;
}

static const uint8_t keyset[IKEY_KEYSET_OCTETS] = {'k', 's'};

static void
make_share(const struct bench *b, const char *name, enum ikey_colour colour,
    const char *pin, const struct ikey_imprint *split)
{
	static const uint8_t whole[IKEY_SECRET_OCTETS] =
	    "a secret of thirty-two octets..";
	struct ikey_imprint what = {
	    .colour = colour,
	    .m = 1,
	    .n = 1,
	    .index = 1,
	    .keyset = keyset,
	    .share = {whole, sizeof(whole)},
	};
	struct ikey key;

	if (split != NULL)
		what = *split;
	what.pin = bytes_of_text(pin);
	assert_int_equal(ikey_blank(b->rig.env, &key), OK);
	if (colour != IKEY_BLANK)
		assert_int_equal(ikey_imprint(b->rig.env, &what, &key), OK);
	save(b, name, &key);
}

static void
make(const struct bench *b, const char *name, enum ikey_colour colour,
    const char *pin)
{
	make_share(b, name, colour, pin, NULL);
}

static void
insert(struct bench *b, const char *name)
{
	ped_remove(b->ped);
	assert_int_equal(ped_insert(b->ped, ikey_path(b, name)), OK);
}

/* Do two iKeys open to the same share, each with its PIN? */
static bool
same_share(const struct bench *b, const char *one, const char *one_pin,
    const char *other, const char *other_pin)
{
	const struct ikey a = load(b, one);
	const struct ikey c = load(b, other);
	struct secret *x;
	struct secret *y;
	bool same;

	assert_int_equal(ikey_open(&a, bytes_of_text(one_pin), &x), OK);
	assert_int_equal(ikey_open(&c, bytes_of_text(other_pin), &y), OK);
	same = secret_equal(x, y);
	secret_free(x);
	secret_free(y);
	return same;
}

static void
move_time(struct bench *b, int64_t to_ms)
{
	rig_move_to(&b->rig, to_ms);
	assert_int_equal(rig_turns(&b->rig, 2), OK);
}

/* ---- the card's end ---- */

static void
connect_card(struct bench *b)
{
	struct buf hello;
	struct bytes none;
	size_t octets;

	buf_init(&hello, 64);
	buf_reset(&b->sent);
	ped_line_up(b->ped);
	channel_free(b->card);
	assert_int_equal(channel_new(b->rig.env, CHANNEL_CARD, &b->card), OK);
	assert_int_equal(channel_frame(buf_peek(&b->sent), &octets), OK);
	assert_int_equal(octets, b->sent.octets);
	assert_int_equal(
	    channel_take(b->card, buf_peek(&b->sent), &b->room, &none), OK);
	buf_reset(&b->sent);
	assert_int_equal(channel_hello(b->card, &hello), OK);
	ped_line_octets(b->ped, buf_peek(&hello));
	buf_clear(&hello);
	assert_true(ped_is_linked(b->ped));
}

static void
say(struct bench *b, const struct ped_message *m)
{
	struct buf plain;
	struct buf wire;

	buf_init(&plain, 4096);
	buf_init(&wire, 8192);
	assert_int_equal(ped_message_write(m, &plain), OK);
	assert_int_equal(channel_put(b->card, buf_peek(&plain), &wire), OK);
	ped_line_octets(b->ped, buf_peek(&wire));
	buf_clear(&plain);
	buf_clear(&wire);
}

static void
ask(struct bench *b, enum ped_code code, const char *text)
{
	say(b,
	    &(struct ped_message){.code = code, .text = bytes_of_text(text)});
}

/* The next message from the PED; it must be there. */
static struct ped_message
hear(struct bench *b)
{
	struct ped_message m;
	struct bytes plain;
	size_t octets;

	assert_int_equal(channel_frame(buf_peek(&b->sent), &octets), OK);
	assert_true(octets != 0);
	assert_int_equal(
	    channel_take(
		b->card, (struct bytes){b->sent.at, octets}, &b->room, &plain),
	    OK);
	buf_drop(&b->sent, octets);
	assert_int_equal(ped_message_read(plain, &m), OK);
	return m;
}

static void
assert_hears(struct bench *b, enum ped_code code)
{
	assert_string_equal(
	    ped_message_name(hear(b).code), ped_message_name(code));
}

/* ---- power and modes ---- */

/* req: KS-01-028 KS-01-029 */
static void
power_makes_it_test_itself_and_wait_in_local_mode(void **state)
{
	struct bench b;
	struct ped_action action;

	(void)state;
	bench_init(&b);
	assert_string_equal(ped_mode_name(b.ped), "off");
	assert_string_equal(screen(&b), "");
	assert_int_equal(b.line, PED_LINE_NONE);
	ped_power_on(b.ped);
	assert_string_equal(ped_mode_name(b.ped), "local");
	assert_string_equal(screen(&b), "Awaiting command...");
	assert_int_equal(b.line, PED_LINE_LOCAL);
	assert_true(ped_action(b.ped, 1, &action));
	assert_string_equal(action.text, "Self test OK");
	bench_clear(&b);
}

/* req: KS-01-035 */
static void
a_device_that_fails_its_test_goes_no_further(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	ped_break_usb(b.ped, true);
	ped_power_on(b.ped);
	assert_string_equal(screen(&b),
	    "SELF TEST...\nKeypad    OK\nUSB port  FAILED\nDisplay   OK\n"
	    "Press ENTER.");
	assert_int_equal(b.line, PED_LINE_NONE);
	press(&b, "ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_SELF_TEST");
	ped_break_usb(b.ped, false);
	press(&b, "ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_LOCAL");
	bench_clear(&b);
}

/* req: KS-01-035 */
static void
the_self_test_finds_each_part_that_is_broken(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "< 4 9");
	assert_string_equal(screen(&b),
	    "SELF TEST...\nKeypad    OK\nUSB port  OK\nDisplay   OK\n"
	    "Press ENTER.");
	press(&b, "ENTER");
	/* a key that hangs */
	(void)ped_key_down(b.ped, KEY_CLEAR);
	press(&b, "9");
	assert_non_null(strstr(screen(&b), "Keypad    FAILED\nUSB port  OK"));
	ped_key_up(b.ped, KEY_CLEAR);
	press(&b, "ENTER");
	/* an iKey that does not answer */
	write_file(ikey_path(&b, "dead"), NULL, 0);
	insert(&b, "dead");
	press(&b, "9");
	assert_non_null(strstr(screen(&b), "Keypad    OK\nUSB port  FAILED"));
	ped_remove(b.ped);
	press(&b, "ENTER");
	ped_break_display(b.ped, true);
	press(&b, "9");
	assert_string_equal(screen(&b), "");
	ped_break_display(b.ped, false);
	assert_non_null(strstr(screen(&b), "USB port  OK\nDisplay   FAILED"));
	press(&b, "ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_ADMIN");
	bench_clear(&b);
}

/* req: KS-01-032 KS-05-073 KS-05-074 KS-05-138 KS-05-139 KS-05-140 */
static void
modes_are_chosen_from_the_menu(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "<");
	assert_string_equal(
	    screen(&b), "SELECT MODE...\n0 Local PED\n4 Admin\n7 Remote PED");
	assert_string_equal(ped_mode_name(b.ped), "menu");
	assert_int_equal(b.line, PED_LINE_NONE);
	assert_false(ped_press(b.ped, KEY_1));
	press(&b, "7");
	assert_string_equal(ped_mode_name(b.ped), "remote");
	assert_int_equal(b.line, PED_LINE_REMOTE);
	press(&b, "< YES 4");
	assert_string_equal(
	    screen(&b), "ADMIN MODE...\n1 PED Key\n9 Self Test\n< Exit");
	assert_int_equal(b.line, PED_LINE_NONE);
	press(&b, "1");
	assert_string_equal(
	    screen(&b), "PED KEY MODE...\n1 Login\n7 Duplicate\n< Exit");
	press(&b, "< < 0");
	assert_string_equal(ped_mode_name(b.ped), "local");
	assert_int_equal(b.line, PED_LINE_LOCAL);
	bench_clear(&b);
}

/* req: KS-05-145 KS-05-146 KS-05-150 */
static void
remote_mode_is_left_after_a_warning_only(void **state)
{
	struct bench b;
	unsigned lines;

	(void)state;
	bench_on(&b);
	press(&b, "< 7");
	connect_card(&b);
	lines = b.lines;
	press(&b, "<");
	assert_string_equal(screen(&b),
	    "WARNING: leaving Remote PED mode\n"
	    "invalidates the RPV session.\nExit? (Y/N)");
	press(&b, "NO");
	assert_string_equal(ped_state_name(b.ped), "AT_REMOTE");
	assert_int_equal(b.lines, lines);
	assert_int_equal(b.sent.octets, 0);
	assert_true(ped_is_linked(b.ped));
	press(&b, "< YES");
	assert_string_equal(ped_state_name(b.ped), "AT_MODES");
	assert_hears(&b, PED_LEAVING);
	assert_false(ped_is_linked(b.ped));
	assert_int_equal(b.line, PED_LINE_NONE);
	press(&b, "4 1 < < 7");
	assert_string_equal(ped_mode_name(b.ped), "remote");
	bench_clear(&b);
}

static void
recent_actions_are_listed_newest_first(void **state)
{
	struct bench b;
	unsigned k;

	(void)state;
	bench_on(&b);
	move_time(&b, 3723000);
	press(&b, "< 7 >");
	assert_string_equal(screen(&b),
	    "RECENT ACTIONS\n01:02:03 Remote PED mode\n"
	    "00:00:00 Local PED mode\n00:00:00 Self test OK\n"
	    "00:00:00 Power on");
	press(&b, ">");
	assert_non_null(strstr(screen(&b), "Remote PED mode"));
	press(&b, "<");
	assert_string_equal(ped_state_name(b.ped), "AT_REMOTE");
	press(&b, "< YES");
	for (k = 0; k < 40; k++)
		press(&b, "0 <");
	press(&b, "0 > > > >");
	assert_non_null(strstr(screen(&b), "Local PED mode"));
	assert_null(strstr(screen(&b), "Power on")); /* of long ago */
	press(&b, "> < < 4 1 >");
	assert_string_equal(ped_state_name(b.ped), "AT_LOG");
	press(&b, "<");
	assert_string_equal(ped_state_name(b.ped), "AT_PED_KEY");
	bench_clear(&b);
}

/* ---- duplicates ---- */

/*
 * req: KS-05-141 KS-05-142 KS-05-143 KS-05-149 KS-01-033
 */
static void
each_colour_is_duplicated_with_a_pin_of_its_own(void **state)
{
	enum ikey_colour colour;

	(void)state;
	for (colour = IKEY_BLUE; colour <= IKEY_ORANGE; colour++) {
		const struct ikey_imprint split = {
		    .colour = colour,
		    .m = 2,
		    .n = 3,
		    .index = 2,
		    .keyset = keyset,
		    .share =
			{(const uint8_t *)"another secret of thirty-two....",
			    IKEY_SECRET_OCTETS},
		};
		struct ikey original;
		struct ikey blank;
		struct ikey copy;
		struct bench b;

		bench_on(&b);
		make_share(&b, "original", colour, "1234", &split);
		make(&b, "blank", IKEY_BLANK, "");
		make(&b, "other", IKEY_BLANK, "");
		original = load(&b, "original");
		blank = load(&b, "blank");
		press(&b, "< 4 1");
		insert(&b, "original");
		press(&b, "1");
		assert_string_equal(
		    screen(&b), "PED KEY LOGIN...\nEnter PED PIN.");
		press(&b, "1234");
		assert_string_equal(
		    screen(&b), "PED KEY LOGIN...\nEnter PED PIN.\n****");
		press(&b, "ENTER");
		assert_string_equal(
		    screen(&b), "PED KEY LOGIN...\nLogged in.\nPress ENTER.");
		press(&b, "ENTER 7");
		assert_string_equal(screen(&b),
		    "DUPLICATE...\nInsert the target PED Key. Press ENTER.");
		insert(&b, "blank");
		press(&b, "ENTER");
		assert_string_equal(
		    screen(&b), "DUPLICATE...\nEnter new PED PIN:");
		press(&b, "98765 ENTER");
		assert_string_equal(
		    screen(&b), "DUPLICATE...\nConfirm new PED PIN:");
		press(&b, "98765 ENTER");
		assert_string_equal(screen(&b),
		    "DUPLICATE...\nThe duplicate is created.\n"
		    "Remove it. Press ENTER.");
		press(&b, "ENTER"); /* it is still there */
		assert_string_equal(ped_state_name(b.ped), "AT_REMOVE");
		ped_remove(b.ped);
		press(&b, "ENTER");
		assert_string_equal(
		    screen(&b), "DUPLICATE...\nMake another duplicate? (Y/N)");
		press(&b, "YES");
		insert(&b, "other");
		press(&b, "ENTER ENTER ENTER"); /* without a PIN */
		ped_remove(b.ped);
		press(&b, "ENTER NO");
		assert_string_equal(ped_state_name(b.ped), "AT_PED_KEY");

		copy = load(&b, "blank");
		assert_int_equal(copy.colour, colour);
		assert_true(copy.has_pin);
		assert_int_equal(copy.m, 2);
		assert_int_equal(copy.n, 3);
		assert_int_equal(copy.index, 2);
		assert_memory_equal(copy.keyset, original.keyset, 16);
		assert_memory_equal(copy.serial, blank.serial, 8);
		assert_true(
		    same_share(&b, "original", "1234", "blank", "98765"));
		assert_false(
		    same_share(&b, "original", "1234", "blank", "1234"));
		assert_true(same_share(&b, "original", "1234", "other", ""));
		bench_clear(&b);
	}
}

/* req: KS-05-147 KS-05-148 */
static void
a_used_ikey_is_overwritten_after_a_warning_only(void **state)
{
	struct ikey before;
	struct ikey after;
	struct bench b;

	(void)state;
	bench_on(&b);
	make(&b, "black", IKEY_BLACK, "");
	make(&b, "blue", IKEY_BLUE, "1111");
	before = load(&b, "blue");
	press(&b, "< 4 1");
	insert(&b, "black");
	press(&b, "1 ENTER 7");
	insert(&b, "blue");
	press(&b, "ENTER");
	assert_string_equal(screen(&b),
	    "DUPLICATE...\nWARNING: this PED Key is not blank.\n"
	    "Overwrite it? (Y/N)");
	press(&b, "NO");
	assert_string_equal(ped_state_name(b.ped), "AT_TARGET");
	after = load(&b, "blue");
	assert_memory_equal(&before, &after, sizeof(before));
	press(&b, "ENTER YES 4444 ENTER 4444 ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_REMOVE");
	after = load(&b, "blue");
	assert_int_equal(after.colour, IKEY_BLACK);
	assert_true(same_share(&b, "black", "", "blue", "4444"));
	bench_clear(&b);
}

/* req: KS-01-091 */
static void
a_new_pin_is_confirmed_and_has_its_length(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	make(&b, "black", IKEY_BLACK, "");
	make(&b, "blank", IKEY_BLANK, "");
	press(&b, "< 4 1");
	insert(&b, "black");
	press(&b, "1 ENTER 7");
	insert(&b, "blank");
	press(&b, "ENTER 123 ENTER");
	assert_string_equal(screen(&b),
	    "DUPLICATE...\nA PED PIN has 4 to 48 digits.\nPress ENTER.");
	press(&b, "ENTER");
	press(&b, "1234567890123456789012345678901234567890123456789 ENTER");
	assert_non_null(strstr(screen(&b), "4 to 48"));
	press(&b, "ENTER 12345 < ENTER 1235 ENTER");
	assert_string_equal(
	    screen(&b), "DUPLICATE...\nThe PED PINs differ.\nPress ENTER.");
	assert_int_equal(load(&b, "blank").colour, IKEY_BLANK);
	press(&b, "ENTER 999 CLEAR");
	press(&b, "123456789012345678901234567890123456789012345678 ENTER");
	press(&b, "123456789012345678901234567890123456789012345678 ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_REMOVE");
	assert_true(same_share(&b, "black", "", "blank",
	    "123456789012345678901234567890123456789012345678"));
	bench_clear(&b);
}

static void
what_cannot_be_duplicated_is_not(void **state)
{
	uint8_t noise[IKEY_OCTETS] = {0};
	struct bench b;

	(void)state;
	bench_on(&b);
	make(&b, "black", IKEY_BLACK, "");
	make(&b, "blank", IKEY_BLANK, "");
	make(&b, "blank2", IKEY_BLANK, "");
	write_file(ikey_path(&b, "noise"), noise, sizeof(noise));
	press(&b, "< 4 1 7");
	assert_string_equal(screen(&b),
	    "DUPLICATE...\nLogin to a PED Key first.\nPress ENTER.");
	press(&b, "ENTER 1");
	assert_string_equal(
	    screen(&b), "PED KEY LOGIN...\nInsert a PED Key. Press ENTER.");
	press(&b, "ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_LOGIN");
	insert(&b, "noise");
	press(&b, "ENTER");
	assert_string_equal(
	    screen(&b), "This PED Key cannot be read.\nPress ENTER.");
	insert(&b, "blank");
	press(&b, "ENTER 1");
	assert_string_equal(screen(&b), "This PED Key is blank.\nPress ENTER.");
	insert(&b, "black");
	press(&b, "ENTER 1 ENTER 7 ENTER");
	assert_string_equal(screen(&b),
	    "DUPLICATE...\nThis is the original PED Key.\nPress ENTER.");
	ped_remove(b.ped);
	press(&b, "ENTER ENTER");
	assert_string_equal(ped_state_name(b.ped), "AT_TARGET");
	insert(&b, "noise");
	press(&b, "ENTER");
	assert_string_equal(
	    screen(&b), "This PED Key cannot be read.\nPress ENTER.");
	press(&b, "ENTER");
	/* another iKey is put in behind the question */
	insert(&b, "blank");
	press(&b, "ENTER");
	insert(&b, "blank2");
	press(&b, "ENTER ENTER");
	assert_string_equal(
	    screen(&b), "This PED Key cannot be written.\nPress ENTER.");
	assert_int_equal(load(&b, "blank2").colour, IKEY_BLANK);
	/* who leaves PED Key mode is logged out */
	press(&b, "ENTER < < 1 7");
	assert_non_null(strstr(screen(&b), "Login to a PED Key first."));
	bench_clear(&b);
}

/* ---- the slot ---- */

static void
the_slot_holds_one_ikey_and_an_ikey_has_one_slot(void **state)
{
	struct bench b;
	struct bench other;

	(void)state;
	bench_on(&b);
	bench_on(&other);
	make(&b, "black", IKEY_BLACK, "");
	make(&b, "blank", IKEY_BLANK, "");
	assert_null(ped_slot(b.ped));
	assert_int_equal(
	    ped_insert(b.ped, ikey_path(&b, "none")), ERR_NOT_FOUND);
	insert(&b, "black");
	assert_string_equal(ped_slot(b.ped), ikey_path(&b, "black"));
	assert_int_equal(ped_insert(b.ped, ikey_path(&b, "blank")), ERR_EXISTS);
	assert_int_equal(
	    ped_insert(other.ped, ikey_path(&b, "black")), ERR_DENIED);
	ped_remove(b.ped);
	ped_remove(b.ped);
	assert_int_equal(ped_insert(other.ped, ikey_path(&b, "black")), OK);
	bench_clear(&b);
	bench_clear(&other);
}

/* ---- what the card asks ---- */

/* req: KS-01-030 KS-01-031 */
static void
asks_are_shown_and_answered_by_their_keys(void **state)
{
	struct ped_action action;
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	assert_string_equal(screen(&b), "Awaiting command...");
	ask(&b, PED_ENTER, "USER LOGIN...\nInsert a key. Press ENTER. ");
	assert_string_equal(
	    screen(&b), "USER LOGIN...\nInsert a key. Press ENTER. ");
	assert_false(ped_press(b.ped, KEY_YES));
	assert_false(ped_press(b.ped, KEY_1));
	assert_false(ped_press(b.ped, KEY_LEFT));
	assert_int_equal(b.sent.octets, 0);
	press(&b, "ENTER");
	assert_hears(&b, PED_OK);
	assert_string_equal(screen(&b), "USER LOGIN...\nPlease wait...");
	assert_false(ped_press(b.ped, KEY_ENTER));
	ask(&b, PED_YES_NO, "SETTING RPV...\nReuse? (Y/N)");
	assert_false(ped_press(b.ped, KEY_ENTER));
	press(&b, "YES");
	assert_hears(&b, PED_YES);
	ask(&b, PED_YES_NO, "SETTING RPV...\nReuse? (Y/N)");
	press(&b, "NO");
	assert_hears(&b, PED_NO);
	ask(&b, PED_SHOW, "Password: AAAA-BBBB");
	assert_string_equal(screen(&b), "Password: AAAA-BBBB");
	assert_false(ped_press(b.ped, KEY_ENTER));
	ask(&b, PED_IDLE, "");
	assert_string_equal(screen(&b), "Awaiting command...");
	assert_int_equal(b.sent.octets, 0);
	/* each title once, and what was only shown not at all */
	assert_true(ped_action(b.ped, 0, &action));
	assert_string_equal(action.text, "SETTING RPV...");
	assert_true(ped_action(b.ped, 1, &action));
	assert_string_equal(action.text, "USER LOGIN...");
	assert_true(ped_action(b.ped, 2, &action));
	assert_string_equal(action.text, "Local PED mode");
	bench_clear(&b);
}

/* PINs are masked. */
static void
digits_are_sent_as_they_were_pressed(void **state)
{
	struct ped_message m;
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	press(&b, "12");
	assert_string_equal(screen(&b), "USER LOGIN...\nEnter PED PIN.\n**");
	press(&b, "< 3 4 CLEAR 0099");
	assert_string_equal(screen(&b), "USER LOGIN...\nEnter PED PIN.\n****");
	press(&b, "ENTER");
	m = hear(&b);
	assert_int_equal(m.code, PED_DIGITS);
	assert_true(bytes_equal_text(m.octets, "0099"));
	assert_string_equal(screen(&b), "USER LOGIN...\nPlease wait...");
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	press(&b, "ENTER");
	m = hear(&b);
	assert_int_equal(m.code, PED_DIGITS);
	assert_int_equal(m.octets.octets, 0);
	/* one that is too long stays too long */
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	press(&b, "1234567890123456789012345678901234567890123456789");
	press(&b, "1234567890123456789012345678901234567890123456789");
	press(&b, "ENTER");
	m = hear(&b);
	assert_int_equal(m.octets.octets, ENTRY_DIGITS);
	bench_clear(&b);
}

/* clang-format off */
static const struct {
	const char *keys;
	const char *shown;
	const char *said; /* NULL: it is asked for again */
} numbers[] = {
	{ "",       "M value? (1-16) \n>01", "01" },
	{ "1",      "M value? (1-16) \n>1",  "01" },
	{ "16",     "M value? (1-16) \n>16", "16" },
	{ "17",     "M value? (1-16) \n>17", NULL },
	{ "0",      "M value? (1-16) \n>0",  NULL },
	{ "00",     "M value? (1-16) \n>00", NULL },
	{ "3 < 2",  "M value? (1-16) \n>2",  "02" },
	{ "163",    "M value? (1-16) \n>16", "16" },
	{ "9 <",    "M value? (1-16) \n>01", "01" },
};
/* clang-format on */

/* req: KS-05-043 KS-05-044 */
static void
numbers_are_prefilled_and_within_their_range(void **state)
{
	struct bench b;
	size_t k;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	for (k = 0; k < LENGTH(numbers); k++) {
		struct ped_message m = {
		    .code = PED_NUMBER,
		    .number = {1, 16},
		    .text = bytes_of_text("M value? (1-16) \n>01"),
		};

		print_message("%s\n", numbers[k].keys);
		say(&b, &m);
		press(&b, numbers[k].keys);
		assert_string_equal(screen(&b), numbers[k].shown);
		press(&b, "ENTER");
		if (numbers[k].said == NULL) {
			assert_int_equal(b.sent.octets, 0);
			assert_string_equal(
			    screen(&b), "M value? (1-16) \n>01");
			press(&b, "7 ENTER");
			m = hear(&b);
			assert_true(bytes_equal_text(m.octets, "07"));
			continue;
		}
		m = hear(&b);
		assert_int_equal(m.code, PED_DIGITS);
		assert_true(bytes_equal_text(m.octets, numbers[k].said));
	}
	bench_clear(&b);
}

/* A card need not say what it asks, nor prefill anything. */
static void
a_number_is_asked_for_without_words(void **state)
{
	static const struct {
		const char *text, *shown;
	} asks[] = {
	    {"", "12"},
	    {"01", "12"},
	    {"\n", "\n12"},
	    {"A\nB", "A\nB12"},
	};
	struct bench b;
	size_t k;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	for (k = 0; k < LENGTH(asks); k++) {
		say(&b, &(struct ped_message){.code = PED_NUMBER,
			    .number = {1, 16},
			    .text = bytes_of_text(asks[k].text)});
		press(&b, "12");
		assert_string_equal(screen(&b), asks[k].shown);
		press(&b, "ENTER");
		assert_true(bytes_equal_text(hear(&b).octets, "12"));
	}
	bench_clear(&b);
}

static void
clear_gives_up_when_it_is_held_for_5_s(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	press(&b, "12");
	assert_true(ped_key_down(b.ped, KEY_CLEAR));
	move_time(&b, 4999);
	ped_key_up(b.ped, KEY_CLEAR);
	move_time(&b, 20000);
	assert_int_equal(b.sent.octets, 0);
	assert_string_equal(ped_state_name(b.ped), "AT_ASK_PIN");
	(void)ped_key_down(b.ped, KEY_CLEAR);
	move_time(&b, 25000);
	ped_key_up(b.ped, KEY_CLEAR);
	assert_hears(&b, PED_CLEARED);
	assert_int_equal(b.sent.octets, 0);
	assert_string_equal(screen(&b), "Awaiting command...");
	/* of its own doings too */
	make(&b, "black", IKEY_BLACK, "");
	press(&b, "< 4 1");
	insert(&b, "black");
	press(&b, "1 ENTER 7");
	(void)ped_key_down(b.ped, KEY_CLEAR);
	move_time(&b, 30000);
	ped_key_up(b.ped, KEY_CLEAR);
	assert_string_equal(ped_state_name(b.ped), "AT_ADMIN");
	press(&b, "1 7");
	assert_non_null(strstr(screen(&b), "Login to a PED Key first."));
	bench_clear(&b);
}

/* Each ask has one answer, so that late ones are known for what they are. */
static void
an_ask_that_the_card_gives_up_is_answered(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	ask(&b, PED_ENTER, "A");
	ask(&b, PED_IDLE, "");
	assert_hears(&b, PED_CLEARED);
	assert_false(ped_press(b.ped, KEY_ENTER));
	ask(&b, PED_ENTER, "B");
	ask(&b, PED_PIN, "C");
	assert_hears(&b, PED_CLEARED);
	press(&b, "1234 ENTER");
	assert_hears(&b, PED_DIGITS);
	assert_int_equal(b.sent.octets, 0);
	bench_clear(&b);
}

/* Nor is it answered twice: what comes next may show nothing. */
static void
an_ask_that_was_given_up_takes_no_answer(void **state)
{
	static const enum ped_code asks[] = {
	    PED_ENTER, PED_YES_NO, PED_NUMBER, PED_PIN};
	static const struct {
		enum ped_code code, answer;
	} next[] = {
	    {PED_KEY_READ, PED_NO_KEY},
	    {PED_KEY_WRITE, PED_NO_KEY},
	    {PED_RPV_READ, PED_NO_KEY},
	    {PED_RPV_CONFIRM, PED_FAILED},
	};
	struct bench b;
	size_t k;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	for (k = 0; k < LENGTH(asks) * LENGTH(next); k++) {
		ask(&b, asks[k / LENGTH(next)], "A");
		say(&b,
		    &(struct ped_message){.code = next[k % LENGTH(next)].code});
		assert_hears(&b, PED_CLEARED);
		assert_hears(&b, next[k % LENGTH(next)].answer);
		assert_false(ped_press(b.ped, KEY_ENTER));
		assert_false(ped_press(b.ped, KEY_YES));
		assert_int_equal(b.sent.octets, 0);
	}
	bench_clear(&b);
}

static void
ikeys_are_read_and_written_where_they_are(void **state)
{
	uint8_t octets[IKEY_OCTETS];
	struct ped_message m;
	struct ikey black;
	struct ikey blank;
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	make(&b, "black", IKEY_BLACK, "");
	make(&b, "blank", IKEY_BLANK, "");
	black = load(&b, "black");
	blank = load(&b, "blank");
	ask(&b, PED_KEY_READ, "");
	assert_hears(&b, PED_NO_KEY);
	say(&b, &(struct ped_message){
		    .code = PED_KEY_WRITE, .octets = {octets, 0}});
	assert_hears(&b, PED_NO_KEY);
	insert(&b, "black");
	ask(&b, PED_KEY_READ, "");
	m = hear(&b);
	assert_int_equal(m.code, PED_KEY);
	assert_int_equal(ikey_write(&black, octets), OK);
	assert_true(
	    bytes_equal(m.octets, (struct bytes){octets, sizeof(octets)}));
	/* onto another iKey than the one that was read: refused */
	insert(&b, "blank");
	m = (struct ped_message){
	    .code = PED_KEY_WRITE, .octets = {octets, sizeof(octets)}};
	say(&b, &m);
	assert_hears(&b, PED_FAILED);
	memcpy(black.serial, blank.serial, sizeof(blank.serial));
	assert_int_equal(ikey_write(&black, octets), OK);
	octets[60] ^= 1;
	say(&b, &m);
	assert_hears(&b, PED_FAILED);
	assert_int_equal(load(&b, "blank").colour, IKEY_BLANK);
	octets[60] ^= 1;
	say(&b, &m);
	assert_hears(&b, PED_OK);
	assert_int_equal(load(&b, "blank").colour, IKEY_BLACK);
	bench_clear(&b);
}

/* The other side breaks the rules. */
static void
a_card_that_is_none_is_hung_up(void **state)
{
	static const struct {
		const char *name;
		struct ped_message m;
	} broken[] = {
	    {"an answer", {.code = PED_OK}},
	    {"that it leaves", {.code = PED_LEAVING}},
	};
	struct bench b;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(broken); k++) {
		print_message("%s\n", broken[k].name);
		bench_on(&b);
		connect_card(&b);
		ask(&b, PED_ENTER, "A");
		say(&b, &broken[k].m);
		assert_int_equal(b.drops, 1);
		assert_false(ped_is_linked(b.ped));
		assert_string_equal(screen(&b), "Awaiting command...");
		bench_clear(&b);
	}
	bench_on(&b);
	connect_card(&b);
	ped_line_octets(b.ped, bytes_of_text("\xff\xff"));
	assert_int_equal(b.drops, 1);
	/* and what follows is not listened to */
	ped_line_octets(b.ped, bytes_of_text("\x00\x01x"));
	assert_int_equal(b.drops, 1);
	connect_card(&b);
	ask(&b, PED_ENTER, "A");
	assert_string_equal(screen(&b), "A");
	bench_clear(&b);
}

/* A relay keeps its connection to us while the card is another one. */
static void
card_begins_anew(struct bench *b)
{
	struct buf hello;
	struct bytes none;

	buf_init(&hello, 64);
	buf_reset(&b->sent);
	channel_free(b->card);
	assert_int_equal(channel_new(b->rig.env, CHANNEL_CARD, &b->card), OK);
	assert_int_equal(channel_hello(b->card, &hello), OK);
	ped_line_octets(b->ped, buf_peek(&hello));
	assert_int_equal(
	    channel_take(b->card, buf_peek(&b->sent), &b->room, &none), OK);
	buf_reset(&b->sent);
	buf_clear(&hello);
}

static void
a_card_that_begins_anew_is_answered(void **state)
{
	struct bench b;

	(void)state;
	bench_on(&b);
	connect_card(&b);
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	press(&b, "12");
	card_begins_anew(&b);
	assert_string_equal(screen(&b), "Awaiting command...");
	assert_int_equal(b.drops, 0);
	ask(&b, PED_ENTER, "A");
	press(&b, "ENTER");
	assert_hears(&b, PED_OK);
	bench_clear(&b);
}

/* ---- the remote PED vector ---- */

static struct secret *
split_vector(const struct bench *b, unsigned m, unsigned n, const char *pin)
{
	struct secret *whole;
	struct secret *shares[IKEY_SHARES_MAX];
	unsigned k;

	assert_int_equal(secret_new(IKEY_SECRET_OCTETS, &whole), OK);
	assert_int_equal(
	    env_random(b->rig.env, secret_fill(whole), IKEY_SECRET_OCTETS), OK);
	assert_int_equal(shamir_split(b->rig.env, whole, m, n, shares), OK);
	for (k = 0; k < n; k++) {
		char name[] = {'r', (char)('1' + k), '\0'};
		const struct ikey_imprint split = {
		    .colour = IKEY_ORANGE,
		    .m = (uint8_t)m,
		    .n = (uint8_t)n,
		    .index = (uint8_t)(k + 1),
		    .keyset = keyset,
		    .share = secret_peek(shares[k]),
		};

		make_share(b, name, IKEY_ORANGE, pin, &split);
		secret_free(shares[k]);
	}
	return whole;
}

static void
confirm(struct bench *b, const struct secret *vector)
{
	uint8_t proof[CHANNEL_PROOF_OCTETS];

	assert_int_equal(
	    channel_proof(b->card, CHANNEL_CARD, vector, proof), OK);
	say(b, &(struct ped_message){
		   .code = PED_RPV_CONFIRM, .octets = {proof, sizeof(proof)}});
}

static const char session[] = "COMPUTE SESSION KEY...\nEnter PED PIN.";

static void
both_sides_prove_the_vector_by_two_of_three_orange_ikeys(void **state)
{
	uint8_t proof[CHANNEL_PROOF_OCTETS];
	struct secret *vector;
	struct ped_message m;
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "< 7");
	connect_card(&b);
	vector = split_vector(&b, 2, 3, "2468");
	ask(&b, PED_RPV_READ, session);
	assert_hears(&b, PED_NO_KEY);
	insert(&b, "r3");
	ask(&b, PED_RPV_READ, session);
	assert_string_equal(screen(&b), session);
	press(&b, "2468 ENTER");
	m = hear(&b);
	assert_int_equal(m.code, PED_SHARE);
	assert_int_equal(m.number[0], 2);
	assert_int_equal(m.number[1], 3);
	assert_int_equal(m.number[2], 3);
	assert_true(
	    bytes_equal(m.octets, (struct bytes){keyset, sizeof(keyset)}));
	/* one is not enough, and all begins anew */
	confirm(&b, vector);
	assert_hears(&b, PED_FAILED);
	assert_false(ped_is_trusted(b.ped));
	ask(&b, PED_RPV_READ, session);
	press(&b, "1111 ENTER"); /* a wrong PIN, mended by the right one */
	assert_hears(&b, PED_SHARE);
	ask(&b, PED_RPV_READ, session);
	press(&b, "2468 ENTER");
	assert_hears(&b, PED_SHARE);
	insert(&b, "r1");
	ask(&b, PED_RPV_READ, session);
	press(&b, "2468 ENTER");
	assert_hears(&b, PED_SHARE);
	confirm(&b, vector);
	m = hear(&b);
	assert_int_equal(m.code, PED_PROOF);
	assert_int_equal(channel_proof(b.card, CHANNEL_PED, vector, proof), OK);
	assert_true(
	    bytes_equal(m.octets, (struct bytes){proof, sizeof(proof)}));
	assert_true(ped_is_trusted(b.ped));
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	assert_string_equal(ped_state_name(b.ped), "AT_ASK_PIN");
	/* the session is over with the link */
	ped_line_down(b.ped);
	assert_false(ped_is_trusted(b.ped));
	assert_string_equal(ped_state_name(b.ped), "AT_REMOTE");
	connect_card(&b);
	confirm(&b, vector);
	assert_hears(&b, PED_FAILED);
	secret_free(vector);
	bench_clear(&b);
}

/* One share of the vector, by its PIN; the card hears of it. */
static void
give_share(struct bench *b, const char *name)
{
	insert(b, name);
	ask(b, PED_RPV_READ, session);
	press(b, "2468 ENTER");
	assert_hears(b, PED_SHARE);
}

static void
shares_of_an_operation_that_is_over_are_forgotten(void **state)
{
	struct secret *vector;
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "< 7");
	connect_card(&b);
	vector = split_vector(&b, 2, 3, "2468");
	give_share(&b, "r1");
	say(&b, &(struct ped_message){.code = PED_IDLE});
	give_share(&b, "r3");
	confirm(&b, vector);
	assert_hears(&b, PED_FAILED);
	give_share(&b, "r1");
	give_share(&b, "r3");
	confirm(&b, vector);
	assert_hears(&b, PED_PROOF);
	secret_free(vector);
	bench_clear(&b);
}

static void
a_share_of_another_split_begins_the_vector_anew(void **state)
{
	static const uint8_t other[IKEY_KEYSET_OCTETS] = {1};
	struct secret *vector;
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "< 7");
	connect_card(&b);
	vector = split_vector(&b, 2, 2, "2468");
	make_share(&b, "alone", IKEY_ORANGE, "2468",
	    &(struct ikey_imprint){
		.colour = IKEY_ORANGE,
		.m = 1,
		.n = 1,
		.index = 1,
		.keyset = other,
		.share = secret_peek(vector),
	    });
	give_share(&b, "r1");
	give_share(&b, "alone");
	confirm(&b, vector);
	assert_hears(&b, PED_PROOF);
	secret_free(vector);
	bench_clear(&b);
}

static void
a_wrong_pin_or_another_colour_proves_nothing(void **state)
{
	struct secret *vector;
	struct bench b;

	(void)state;
	bench_on(&b);
	press(&b, "< 7");
	connect_card(&b);
	vector = split_vector(&b, 1, 1, "2468");
	make(&b, "blue", IKEY_BLUE, "");
	make(&b, "blank", IKEY_BLANK, "");
	insert(&b, "blue");
	ask(&b, PED_RPV_READ, session);
	assert_hears(&b, PED_FAILED);
	insert(&b, "blank");
	ask(&b, PED_RPV_READ, session);
	assert_hears(&b, PED_FAILED);
	insert(&b, "r1");
	ask(&b, PED_RPV_READ, session);
	press(&b, "2469 ENTER");
	assert_hears(&b, PED_SHARE);
	confirm(&b, vector);
	assert_hears(&b, PED_FAILED);
	assert_false(ped_is_trusted(b.ped));
	ask(&b, PED_RPV_READ, session);
	press(&b, "2468 ENTER");
	assert_hears(&b, PED_SHARE);
	confirm(&b, vector);
	assert_hears(&b, PED_PROOF);
	assert_true(ped_is_trusted(b.ped));
	/* what was proved was proved for this channel */
	card_begins_anew(&b);
	assert_false(ped_is_trusted(b.ped));
	ask(&b, PED_PIN, "USER LOGIN...\nEnter PED PIN.");
	assert_int_equal(b.drops, 1);
	secret_free(vector);
	bench_clear(&b);
}

/* Whoever stands between gets no digit and no iKey out of a remote PED. */
static void
before_the_proof_a_remote_ped_gives_nothing_away(void **state)
{
	static const struct {
		enum ped_code code;
		bool is_heard;
	} all[] = {
	    {PED_IDLE, true},
	    {PED_SHOW, true},
	    {PED_ENTER, true},
	    {PED_YES_NO, false},
	    {PED_NUMBER, false},
	    {PED_PIN, false},
	    {PED_KEY_READ, false},
	    {PED_KEY_WRITE, false},
	    {PED_RPV_READ, true},
	    {PED_RPV_CONFIRM, true},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(all); k++) {
		struct bench b;

		print_message("%s\n", ped_message_name(all[k].code));
		bench_on(&b);
		make(&b, "black", IKEY_BLACK, "");
		insert(&b, "black");
		press(&b, "< 7");
		connect_card(&b);
		ask(&b, all[k].code, "");
		assert_int_equal(b.drops, !all[k].is_heard);
		assert_int_equal(ped_is_linked(b.ped), all[k].is_heard);
		if (!all[k].is_heard)
			assert_int_equal(b.sent.octets, 0);
		bench_clear(&b);
		/* on the cable they are all asked */
		bench_on(&b);
		connect_card(&b);
		ask(&b, all[k].code, "");
		assert_int_equal(b.drops, 0);
		bench_clear(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(power_makes_it_test_itself_and_wait_in_local_mode),
	    cmocka_unit_test(a_device_that_fails_its_test_goes_no_further),
	    cmocka_unit_test(the_self_test_finds_each_part_that_is_broken),
	    cmocka_unit_test(modes_are_chosen_from_the_menu),
	    cmocka_unit_test(remote_mode_is_left_after_a_warning_only),
	    cmocka_unit_test(recent_actions_are_listed_newest_first),
	    cmocka_unit_test(each_colour_is_duplicated_with_a_pin_of_its_own),
	    cmocka_unit_test(a_used_ikey_is_overwritten_after_a_warning_only),
	    cmocka_unit_test(a_new_pin_is_confirmed_and_has_its_length),
	    cmocka_unit_test(what_cannot_be_duplicated_is_not),
	    cmocka_unit_test(the_slot_holds_one_ikey_and_an_ikey_has_one_slot),
	    cmocka_unit_test(asks_are_shown_and_answered_by_their_keys),
	    cmocka_unit_test(digits_are_sent_as_they_were_pressed),
	    cmocka_unit_test(numbers_are_prefilled_and_within_their_range),
	    cmocka_unit_test(a_number_is_asked_for_without_words),
	    cmocka_unit_test(clear_gives_up_when_it_is_held_for_5_s),
	    cmocka_unit_test(an_ask_that_the_card_gives_up_is_answered),
	    cmocka_unit_test(an_ask_that_was_given_up_takes_no_answer),
	    cmocka_unit_test(ikeys_are_read_and_written_where_they_are),
	    cmocka_unit_test(a_card_that_is_none_is_hung_up),
	    cmocka_unit_test(a_card_that_begins_anew_is_answered),
	    cmocka_unit_test(
		both_sides_prove_the_vector_by_two_of_three_orange_ikeys),
	    cmocka_unit_test(shares_of_an_operation_that_is_over_are_forgotten),
	    cmocka_unit_test(a_share_of_another_split_begins_the_vector_anew),
	    cmocka_unit_test(a_wrong_pin_or_another_colour_proves_nothing),
	    cmocka_unit_test(before_the_proof_a_remote_ped_gives_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
