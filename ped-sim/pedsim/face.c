#include "pedsim/face.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

enum { PATH_OCTETS = 1024, ESCAPE = 0x1b, DELETE = 0x7f, CTRL_H = 0x08 };

struct face {
	struct loop *loop;
	struct ped *ped;
	loop_fn *over;
	void *ctx;
	struct termios before;
	bool is_raw;
	struct loop_fd *watch;
	bool is_held;   /* Clear */
	bool is_naming; /* an iKey's file */
	char path[PATH_OCTETS];
	size_t path_octets;
	const char *word; /* what there is to say */
	unsigned escaped; /* octets of an arrow key so far */
};

/* Keys beside the digits, by what is typed. */
static const struct {
	char typed;
	enum ped_key key;
} typed_keys[] = {
    {'y', KEY_YES},
    {'Y', KEY_YES},
    {'n', KEY_NO},
    {'N', KEY_NO},
    {'\r', KEY_ENTER},
    {'\n', KEY_ENTER},
    {'<', KEY_LEFT},
    {',', KEY_LEFT},
    {DELETE, KEY_LEFT},
    {CTRL_H, KEY_LEFT},
    {'>', KEY_RIGHT},
    {'.', KEY_RIGHT},
    {'c', KEY_CLEAR},
};

/* ---- drawing ---- */

static enum err
put_frame(struct buf *out)
{
	enum err rc = OK;
	unsigned k;

	TRY(buf_put_text(out, "  +"));
	for (k = 0; k < DISPLAY_COLUMNS + 2; k++)
		TRY(buf_put_text(out, "-"));
	TRY(buf_put_text(out, "+\r\n"));
out:
	return rc;
}

static enum err
draw(const struct face *face, struct buf *out)
{
	const struct display *display = ped_display(face->ped);
	const char *slot = ped_slot(face->ped);
	const char *name = slot != NULL ? strrchr(slot, '/') : NULL;
	unsigned k;
	enum err rc = OK;

	TRY(buf_put_text(out, "\033[H\033[J"));
	TRY(put_frame(out));
	for (k = 0; k < DISPLAY_LINES; k++)
		TRY(buf_printf(
		    out, "  | %-*s |\r\n", DISPLAY_COLUMNS, display->lines[k]));
	TRY(put_frame(out));
	TRY(buf_printf(out, "  mode: %s   cable: %s   slot: %s\r\n\r\n",
	    ped_mode_name(face->ped),
	    ped_is_linked(face->ped) ? "connected" : "-",
	    slot == NULL   ? "empty"
	    : name != NULL ? name + 1
			   : slot));
	TRY(buf_put_text(out,
	    "  0-9      digits        y n  Yes, No      Enter\r\n"
	    "  <        back, exit    >    log\r\n"));
	TRY(buf_printf(out, "  c        Clear         C    %s Clear\r\n",
	    face->is_held ? "let go of" : "hold"));
	TRY(buf_put_text(out,
	    "  i        insert iKey   r    remove it    q  power off\r\n\r\n"));
	if (face->is_naming)
		TRY(buf_printf(out, "  iKey file: %.*s", (int)face->path_octets,
		    face->path));
	else
		TRY(buf_printf(out, "  %s", face->word));
out:
	return rc;
}

void
face_shown(struct face *face)
{
	struct buf out;
	size_t done = 0;

	buf_init(&out, 1 << 16);
	if (draw(face, &out) == OK) {
		while (done < out.octets) {
			ssize_t sent = write(
			    STDOUT_FILENO, out.at + done, out.octets - done);

			if (sent <= 0)
				break;
			done += (size_t)sent;
		}
	}
	buf_clear(&out);
}

/* ---- typing ---- */

static void
insert(struct face *face)
{
	enum err rc;

	face->is_naming = false;
	face->path[face->path_octets] = '\0';
	rc = ped_insert(face->ped, face->path);
	face->word = rc == OK              ? ""
		     : rc == ERR_NOT_FOUND ? "there is no such file"
		     : rc == ERR_EXISTS    ? "there is an iKey in the slot"
		     : rc == ERR_DENIED ? "it is in another slot, or not ours"
					: err_text(rc);
}

static void
name_key(struct face *face, char typed)
{
	if (typed == '\r' || typed == '\n')
		insert(face);
	else if (typed == ESCAPE)
		face->is_naming = false;
	else if ((typed == DELETE || typed == CTRL_H) && face->path_octets != 0)
		face->path_octets--;
	else if ((unsigned char)typed >= ' ' && typed != DELETE &&
		 face->path_octets < PATH_OCTETS - 1)
		face->path[face->path_octets++] = typed;
}

static void
hold_clear(struct face *face)
{
	face->is_held = !face->is_held;
	if (face->is_held)
		(void)ped_key_down(face->ped, KEY_CLEAR);
	else
		ped_key_up(face->ped, KEY_CLEAR);
}

static void
press(struct face *face, enum ped_key key)
{
	face->word =
	    ped_press(face->ped, key) ? "" : "nothing waits for this key";
}

static void
key_typed(struct face *face, char typed)
{
	size_t k;

	face->word = "";
	if (typed >= '0' && typed <= '9') {
		press(face, (enum ped_key)(KEY_0 + (typed - '0')));
		return;
	}
	for (k = 0; k < sizeof(typed_keys) / sizeof(typed_keys[0]); k++) {
		if (typed_keys[k].typed == typed) {
			press(face, typed_keys[k].key);
			return;
		}
	}
	switch (typed) {
	case 'C':
		hold_clear(face);
		break;
	case 'i':
		face->is_naming = true;
		face->path_octets = 0;
		break;
	case 'r':
		ped_remove(face->ped);
		break;
	case 'q':
		face->over(face->ctx);
		break;
	}
}

/* Arrow keys: ESC, [, D or C. False: the octet is a key of its own. */
static bool
is_escape(struct face *face, char typed)
{
	const unsigned seen = face->escaped;

	face->escaped = 0;
	if (seen == 0 && typed == ESCAPE && !face->is_naming)
		face->escaped = 1;
	else if (seen == 1 && (typed == '[' || typed == 'O'))
		face->escaped = 2;
	else if (seen == 2 && typed == 'D')
		press(face, KEY_LEFT);
	else if (seen == 2 && typed == 'C')
		press(face, KEY_RIGHT);
	else
		return seen == 2;
	return true;
}

static void
typed(void *ctx, unsigned ready)
{
	struct face *face = ctx;
	char octets[256];
	ssize_t got = read(STDIN_FILENO, octets, sizeof(octets));
	ssize_t k;

	(void)ready;
	if (got <= 0) {
		face->over(face->ctx);
		return;
	}
	for (k = 0; k < got; k++) {
		if (is_escape(face, octets[k]))
			continue;
		if (face->is_naming)
			name_key(face, octets[k]);
		else
			key_typed(face, octets[k]);
	}
	face_shown(face);
}

/* ---- birth and end ---- */

/* Keys as they are typed, unseen; Ctrl-C still ends the program. */
static enum err
make_raw(struct face *face)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &face->before) != 0)
		return ERR_SYSTEM;
	raw = face->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
		return ERR_SYSTEM;
	face->is_raw = true;
	return OK;
}

enum err
face_new(struct loop *loop, struct ped *ped, loop_fn *over, void *ctx,
    struct face **out)
{
	struct face *face = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(face));
	face->loop = loop;
	face->ped = ped;
	face->over = over;
	face->ctx = ctx;
	face->word = "";
	TRY(make_raw(face));
	TRY(loop_fd_new(
	    loop, STDIN_FILENO, LOOP_READ, typed, face, &face->watch));
	*out = face;
	face = NULL;
out:
	face_free(face);
	return rc;
}

void
face_free(struct face *face)
{
	static const char cleared[] = "\033[H\033[J";

	if (face == NULL)
		return;
	loop_fd_free(face->watch);
	if (face->is_raw) {
		(void)!write(STDOUT_FILENO, cleared, sizeof(cleared) - 1);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &face->before);
	}
	mem_free(face);
}
