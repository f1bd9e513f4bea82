/*
 * The PED port: ped.sock, and who is connected to it.
 *
 * Who connects says first what it is, one line: "local" (a PED on the cable) or
 * "remote" (PedClient, which only relays). A newer one of a kind replaces the
 * older. Then come the frames of link/channel.h.
 *
 * One operation at a time has the port, from port_begin to port_end; it waits
 * for people in virtual time, and port_state, port_unplug and port_tick may be
 * called meanwhile.
 */
#ifndef CARD_PORT_H
#define CARD_PORT_H

#include "base/wait.h"
#include "card/card.h"
#include "link/channel.h"
#include "link/message.h"

struct port;

/*
 * Listen at the directory's ped.sock; what is there is replaced. Borrows env
 * and waits for good.
 *
 * CARD_STATE  the socket cannot be made; the log says why
 */
enum card_rv port_new(struct env *env, struct wait_room *waits, const char *dir,
    struct port **out);
void port_free(struct port *port); /* hangs up; accepts NULL */

enum port_state { PORT_NONE, PORT_LOCAL, PORT_REMOTE };

/* Which PED an operation would get. PORT_REMOTE: it has been connected. */
enum port_state port_state(struct port *port);

/* Time has passed: a remote PED that is not used is dropped. */
void port_tick(struct port *port);

/* Laboratory: pull out the cable of the local PED, or allow it again. */
void port_unplug(struct port *port, bool unplugged);

/* Laboratory: the next frame of the card is lost, or changed on its way. */
enum port_fault { PORT_FAULT_NONE, PORT_FAULT_DROP, PORT_FAULT_GARBLE };
void port_fault(struct port *port, enum port_fault fault);

/*
 * Take the PED for one operation: the remote one where it is connected,
 * otherwise the local one.
 *
 * PORT_ONLY_LOCAL   what is not done through a remote PED
 * PORT_NEW_REMOTE   the PedClient that waits, to be connected with port_vouch
 *
 * CARD_PED_BUSY      another operation has it
 * CARD_PED_UNPLUGGED there is none
 * CARD_PED_REMOTE    PORT_ONLY_LOCAL, and there is only a remote one
 * CARD_PED_CLIENT    PORT_NEW_REMOTE, and nobody waits; or the remote one went
 * CARD_PED_TIMEOUT, CARD_PED_LINK, CARD_NO_MEMORY, CARD_RNG
 */
enum port_which { PORT_ANY, PORT_ONLY_LOCAL, PORT_NEW_REMOTE };
enum card_rv port_begin(struct port *port, enum port_which which);

/* The operation is over: the PED goes back to its waiting text. */
void port_end(struct port *port);

/*
 * Is the PED in our hands the remote one, and is it still to prove that it
 * knows the remote PED vector?
 */
bool port_is_strange(const struct port *port);

/* Ours of the channel to the PED in our hands: channel_proof. */
enum card_rv port_proof(const struct port *port, enum channel_side side,
    const struct secret *vector, uint8_t proof[CHANNEL_PROOF_OCTETS]);

/*
 * The PED in our hands has proved it: it is connected; or it has not: a
 * connection that was only being made is dropped.
 */
void port_vouch(struct port *port, bool proved);

/* The remote PED is no longer connected, and its PedClient is hung up on. */
void port_disconnect(struct port *port);

/* Every remote PED has to prove the vector anew, since there is another. */
void port_distrust(struct port *port);

/*
 * Say something, and wait for the answer to it until due_ms of elapsed time.
 * The answer's text and octets are valid until the next call. PED_IDLE is
 * port_end's; PED_SHOW has no answer, and returns at once.
 *
 * CARD_PED_TIMEOUT  nobody attended to it
 * CARD_PED_CLEARED  given up at the PED
 * CARD_PED_LINK     not what may be answered; the channel has ended
 * CARD_PED_UNPLUGGED, CARD_PED_CLIENT  it went away
 * CARD_POWER        the program ends
 */
enum card_rv port_ask(struct port *port, const struct ped_message *ask,
    int64_t due_ms, struct ped_message *answer);

#endif
