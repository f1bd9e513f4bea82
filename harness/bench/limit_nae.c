/*
 * limit_nae: a request over NAE-XML, as cheap as this machine has it, and as an
 * appliance has it.
 *
 *   limit_nae [-o info|encrypt] [-c 32] [-t seconds]
 *   limit_nae -p PORT -P PID [-o info|encrypt] [-u USERS -k KEYS | -a USER] ...
 *
 *   -o info     KeyInfo of a key
 *   -o encrypt  1 KiB with AES-256 in CBC mode
 *   -u, -k      so many users and keys, as `appliance fill` makes them: each
 *               request is one of them's own, with its name and password in it,
 *               about a key that is its own
 *   -a          each connection logs in once, as that one of them, and asks
 *               about the first key: user 0's own, to others as the group may
 *
 * Without a port it is the limit: a process that answers from epoll does one
 * libxml2 parse of the header and, for encrypt, the cipher, and nothing else.
 * With one the server there is asked, and each answer is looked at; all users
 * come once before it is measured.
 *
 * Plain TCP, every connection kept busy at depth 1. One line of key=value
 * pairs; server_us is CPU time of the server's process for each request.
 */
#include "bench.h"
#include "touchstone/hist.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSWORD "Rope7.Candle"
#define DATA_END "</Data>"

enum {
	EVENTS = 64,
	MESSAGE_OCTETS = 16384,
	PLAIN_OCTETS = 1024,
	PADDED = 16,
	CREDENTIALS_OCTETS = 256,
};

static struct {
	const char *op_word;
	bool encrypts;
	int connections, port, pid;
	unsigned users, keys;
	unsigned login; /* of sessions */
	bool logs_in;
	double seconds;
} o = {"info", false, 32, 0, 0, 1, 1, 0, false, 2};

static struct sockaddr_in address;
static char plain[PLAIN_OCTETS];

/* --- messages ------------------------------------------------------------- */

static int
credentials_write(char out[CREDENTIALS_OCTETS], unsigned user)
{
	return snprintf(out, CREDENTIALS_OCTETS,
	    "<User>u%06u</User><Passwd>" PASSWORD "</Passwd>", user);
}

/* Key k is user k's modulo their number: see ref/net/fill.h. */
static int
request_write(char *out, unsigned key, unsigned user)
{
	char who[CREDENTIALS_OCTETS] = "";
	int n;

	if (!o.logs_in)
		credentials_write(who, user);
	if (!o.encrypts)
		return snprintf(out, MESSAGE_OCTETS,
		    "<KeyInfoRequest><ID>1</ID>%s<KeyName>k%06u</KeyName>"
		    "</KeyInfoRequest>",
		    who, key);
	n = snprintf(out, MESSAGE_OCTETS,
	    "<CryptoRequest><ID>1</ID>%s<Action>ENCRYPT</Action>"
	    "<KeyName>k%06u</KeyName>"
	    "<Algorithm>AES/CBC/PKCS5Padding</Algorithm>"
	    "<IV>000102030405060708090A0B0C0D0E0F</IV></CryptoRequest>"
	    "<Data><Size>%d</Size>",
	    who, key, PLAIN_OCTETS);
	memcpy(out + n, plain, PLAIN_OCTETS);
	n += PLAIN_OCTETS;
	memcpy(out + n, DATA_END, sizeof DATA_END - 1);
	return n + (int)sizeof DATA_END - 1;
}

static const char *
find(const char *in, int octets, const char *what)
{
	return memmem(in, (size_t)octets, what, strlen(what));
}

/* How long is the answer that begins here? 0: it is not whole yet. */
static int
answer_octets(const char *in, int octets)
{
	const char *end =
	    o.encrypts ? "</CryptoResponse>" : "</KeyInfoResponse>";
	const char *size;
	int at, data;

	if (find(in, octets, "<Success>false") != NULL ||
	    find(in, octets, "</ErrorResponse>") != NULL)
		die("refused: %.*s", octets, in);
	end = find(in, octets, end);
	if (end == NULL)
		return 0;
	at = (int)(strchr(end, '>') + 1 - in);
	if (!o.encrypts)
		return at;
	/* <Data><Size>1040</Size> octets </Data> */
	size = find(in + at, octets - at, "<Size>");
	if (size == NULL || find(in + at, octets - at, "</Size>") == NULL)
		return 0;
	data = atoi(size + 6);
	if (data != PLAIN_OCTETS + PADDED)
		die("%d octets of ciphertext", data);
	at = (int)(find(size, (int)(in + octets - size), "</Size>") - in) + 7;
	at += data + (int)sizeof DATA_END - 1;
	return at <= octets ? at : 0;
}

/* --- the limit's server ----------------------------------------------------
 */

struct served {
	int fd, got;
	char in[MESSAGE_OCTETS];
};

/* Made once: a limit does no work that can be saved. */
static xmlParserCtxtPtr parser;
static EVP_CIPHER_CTX *cipher;
static EVP_CIPHER *aes;

static void
parse(const char *in, int octets)
{
	xmlDocPtr doc = xmlCtxtReadMemory(parser, in, octets, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR);

	if (doc == NULL)
		die("a request that cannot be parsed");
	xmlFreeDoc(doc);
}

static int
encrypt(const char *in, char *out)
{
	static const unsigned char key[32], iv[16];
	int octets, last;

	if (EVP_EncryptInit_ex2(cipher, aes, key, iv, NULL) != 1 ||
	    EVP_EncryptUpdate(cipher, (unsigned char *)out, &octets,
		(const unsigned char *)in, PLAIN_OCTETS) != 1 ||
	    EVP_EncryptFinal_ex(cipher, (unsigned char *)out + octets, &last) !=
		1)
		die("no cipher");
	return octets + last;
}

static int
answer_write(const struct served *s, char *out)
{
	const char *end = find(s->in, s->got, "</CryptoRequest>");
	int n;

	if (!o.encrypts) {
		parse(s->in, s->got);
		return snprintf(out, MESSAGE_OCTETS,
		    "<KeyInfoResponse><ID>1</ID><Success>true</Success>"
		    "<KeyName>k000000</KeyName><Algorithm>AES</Algorithm>"
		    "<KeySize>256</KeySize></KeyInfoResponse>");
	}
	end += strlen("</CryptoRequest>");
	parse(s->in, (int)(end - s->in));
	n = snprintf(out, MESSAGE_OCTETS,
	    "<CryptoResponse><ID>1</ID><Success>true</Success></CryptoResponse>"
	    "<Data><Size>%d</Size>",
	    PLAIN_OCTETS + PADDED);
	n += encrypt(strstr(end, "</Size>") + 7, out + n);
	memcpy(out + n, DATA_END, sizeof DATA_END - 1);
	return n + (int)sizeof DATA_END - 1;
}

static void
served_ready(struct served *s, int asked)
{
	char out[MESSAGE_OCTETS];
	ssize_t n = read(s->fd, s->in + s->got, sizeof s->in - (size_t)s->got);

	if (n <= 0)
		exit(0);
	s->got += (int)n;
	if (s->got < asked)
		return;
	n = answer_write(s, out);
	if (write(s->fd, out, (size_t)n) != n)
		exit(0);
	s->got = 0;
}

static void
serve(int listener)
{
	char request[MESSAGE_OCTETS];
	struct epoll_event ready[EVENTS];
	struct epoll_event e = {.events = EPOLLIN};
	int asked = request_write(request, 0, 0);
	int poller = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	parser = xmlNewParserCtxt();
	cipher = EVP_CIPHER_CTX_new();
	aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (parser == NULL || cipher == NULL || aes == NULL)
		die("no parser, or no cipher");
	for (int i = 0; i < o.connections; i++) {
		struct served *s = calloc(1, sizeof *s);

		s->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (s->fd < 0)
			die("accept: %s", strerror(errno));
		no_delay(s->fd);
		e.data.ptr = s;
		epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
	}
	for (;;) {
		int n = epoll_wait(poller, ready, EVENTS, -1);

		for (int i = 0; i < n; i++)
			served_ready(ready[i].data.ptr, asked);
	}
}

/* --- who asks ---------------------------------------------------------------
 */

struct asking {
	int fd, got;
	uint64_t since_ns;
	char in[MESSAGE_OCTETS];
};

static struct {
	int poller;
	struct asking *all;
	struct hist took;
	uint64_t random;
	unsigned come; /* users who have come, in the beginning */
	bool measures;
} load;

static uint64_t
draw(void)
{
	uint64_t z = load.random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	return z ^ z >> 27;
}

static void
ask(struct asking *a)
{
	char out[MESSAGE_OCTETS];
	unsigned key =
	    load.come < o.users ? load.come++ : (unsigned)(draw() % o.keys);
	int n = request_write(out, o.logs_in ? 0 : key, key % o.users);

	a->got = 0;
	a->since_ns = now_ns();
	if (write(a->fd, out, (size_t)n) != n)
		die("write: %s", strerror(errno));
}

/* Waits: it is not measured. */
static void
log_in(struct asking *a)
{
	char who[CREDENTIALS_OCTETS], out[MESSAGE_OCTETS];
	int n;

	credentials_write(who, o.login);
	n = snprintf(
	    out, sizeof out, "<AuthRequest><ID>1</ID>%s</AuthRequest>", who);
	if (write(a->fd, out, (size_t)n) != n)
		die("write: %s", strerror(errno));
	for (a->got = 0; find(a->in, a->got, "</AuthResponse>") == NULL;) {
		ssize_t more =
		    read(a->fd, a->in + a->got, sizeof a->in - (size_t)a->got);

		if (more <= 0)
			die("no login: %.*s", a->got, a->in);
		a->got += (int)more;
	}
	if (find(a->in, a->got, "<Success>true") == NULL)
		die("no login: %.*s", a->got, a->in);
}

static void
asking_open(struct asking *a)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};

	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(a->fd, (struct sockaddr *)&address, sizeof address) != 0)
		die("connect: %s", strerror(errno));
	no_delay(a->fd);
	if (o.logs_in && o.port != 0)
		log_in(a);
	epoll_ctl(load.poller, EPOLL_CTL_ADD, a->fd, &e);
}

static void
asking_ready(struct asking *a)
{
	ssize_t n =
	    read(a->fd, a->in + a->got, sizeof a->in - 1 - (size_t)a->got);
	int octets;

	if (n <= 0)
		die("the server closed the connection");
	a->got += (int)n;
	a->in[a->got] = '\0';
	octets = answer_octets(a->in, a->got);
	if (octets == 0)
		return;
	if (octets != a->got)
		die("an answer is longer than it is: %s", a->in + octets);
	if (load.measures)
		hist_add(&load.took, now_ns() - a->since_ns);
	ask(a);
}

static void
run_until(uint64_t end_ns)
{
	struct epoll_event ready[EVENTS];

	while (load.measures ? now_ns() < end_ns : load.come < o.users) {
		int n = epoll_wait(load.poller, ready, EVENTS, 100);

		for (int i = 0; i < n; i++)
			asking_ready(ready[i].data.ptr);
	}
}

static void
report(pid_t server)
{
	clockid_t clock;
	uint64_t start_ns, server_ns;
	double n;

	if (clock_getcpuclockid(server, &clock) != 0)
		die("no clock of process %d", (int)server);
	load.poller = epoll_create1(EPOLL_CLOEXEC);
	load.all = calloc((size_t)o.connections, sizeof *load.all);
	hist_init(&load.took);
	load.random = 1;
	for (int i = 0; i < o.connections; i++)
		asking_open(&load.all[i]);
	for (int i = 0; i < o.connections; i++)
		ask(&load.all[i]);
	run_until(0);
	load.measures = true;
	start_ns = now_ns();
	server_ns = clock_ns(clock);
	run_until(start_ns + (uint64_t)(o.seconds * 1e9));
	server_ns = clock_ns(clock) - server_ns;
	n = (double)load.took.count;
	if (n == 0)
		die("nothing was answered");
	printf("op=%s connections=%d users=%u keys=%u n=%.0f per_s=%.0f "
	       "service_p50_us=%.1f service_p99_us=%.1f server_us=%.3f\n",
	    o.op_word, o.connections, o.users, o.keys, n,
	    n / ((double)(now_ns() - start_ns) / 1e9),
	    (double)hist_percentile_ns(&load.took, 50) / 1e3,
	    (double)hist_percentile_ns(&load.took, 99) / 1e3,
	    (double)server_ns / 1e3 / n);
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "o:c:t:p:P:u:k:a:")) != -1) {
		switch (c) {
		case 'o':
			o.op_word = optarg;
			break;
		case 'c':
			o.connections = atoi(optarg);
			break;
		case 't':
			o.seconds = atof(optarg);
			break;
		case 'p':
			o.port = atoi(optarg);
			break;
		case 'P':
			o.pid = atoi(optarg);
			break;
		case 'u':
			o.users = (unsigned)atoi(optarg);
			break;
		case 'a':
			o.login = (unsigned)atoi(optarg);
			o.logs_in = true;
			break;
		case 'k':
			o.keys = (unsigned)atoi(optarg);
			break;
		default:
			exit(2);
		}
	}
	o.encrypts = strcmp(o.op_word, "encrypt") == 0;
	if (o.connections < 1 || o.seconds <= 0 || o.users < 1 ||
	    o.keys < o.users || (o.port != 0 && o.pid <= 0) ||
	    (!o.encrypts && strcmp(o.op_word, "info") != 0))
		die("an option is out of its range");
}

int
main(int argc, char **argv)
{
	pid_t server;
	int listener;

	options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	address = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)o.port)};
	if (o.port != 0) {
		report(o.pid);
		return 0;
	}
	listener = listen_somewhere(&address);
	server = fork();
	if (server == 0)
		serve(listener);
	report(server);
	kill(server, SIGKILL);
	return 0;
}
