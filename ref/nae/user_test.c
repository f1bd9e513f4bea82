#include "device/user.h"

#include "nae/rig_test.h"

static struct desk desk;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_user(&desk, "root", true);
	desk_user(&desk, "alice", false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

static void
log_in(const char *user, const char *password)
{
	char text[200];

	desk_call(&desk);
	(void)snprintf(text, sizeof(text),
	    "<AuthRequest><User>%s</User><Passwd>%s</Passwd></AuthRequest>",
	    user, password);
	assert_non_null(strstr(desk_ask(&desk, text), "<Success>true"));
}

/* A part of the answer, or the code of a refusal. */
struct talk {
	const char *in;
	const char *want;
};

static void
talk(const struct talk *talk, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		const char *got = desk_ask(&desk, talk[k].in);

		if (strstr(got, talk[k].want) == NULL)
			fail_msg("%s: expected %s, got %s", talk[k].in,
			    talk[k].want, got);
	}
}
#define TALK(...)                                                 \
	do {                                                      \
		static const struct talk talk_[] = {__VA_ARGS__}; \
		talk(talk_, LENGTH(talk_));                       \
	} while (0)

#define DONE       "<Success>true</Success>"
#define CODE(code) "<ErrorID>" code "</ErrorID>"

/* req: KS-31-025 */
static void
test_users(void **state)
{
	(void)state;
	log_in("root", PASSWORD);
	TALK({"<UserCreateRequest><User>bob</User><Passwd>" PASSWORD
	      "</Passwd><CustomAttributeList><CustomAttribute><Name>Dept"
	      "</Name><Value>a&amp;b</Value></CustomAttribute>"
	      "</CustomAttributeList></UserCreateRequest>",
		 "<UserCreateResponse>" DONE "</UserCreateResponse>"},
	    {"<UserCreateRequest><User>bob</User><Passwd>" PASSWORD
	     "</Passwd></UserCreateRequest>",
		CODE("10502")},
	    {"<UserCreateRequest><User>1bob</User><Passwd>" PASSWORD
	     "</Passwd></UserCreateRequest>",
		CODE("10506")},
	    {"<UserCreateRequest><User>carol</User><Passwd>x</Passwd>"
	     "</UserCreateRequest>",
		CODE("10505")},
	    {"<UserCreateRequest><User>carol</User><Passwd>" PASSWORD
	     "</Passwd><CustomAttributeList><CustomAttribute><Name>a b"
	     "</Name><Value>c</Value></CustomAttribute>"
	     "</CustomAttributeList></UserCreateRequest>",
		"Invalid value for element: Name"},
	    /* nothing of it is left */
	    {"<UserInfoRequest><User>carol</User></UserInfoRequest>",
		CODE("10501")},
	    {"<UserInfoRequest><User>bob</User></UserInfoRequest>",
		DONE "<User>bob</User><ModifyUserInfo>false</ModifyUserInfo>"
		     "<CustomAttributeList><CustomAttribute><Name>Dept</Name>"
		     "<Value>a&amp;b</Value></CustomAttribute>"
		     "</CustomAttributeList><GroupList></GroupList>"},
	    {"<UserModifyRequest><User>bob</User><ModifyUserInfo/>"
	     "<CustomAttributeList><CustomAttribute><Name>Dept</Name><Value/>"
	     "</CustomAttribute></CustomAttributeList></UserModifyRequest>",
		DONE},
	    {"<UserInfoRequest><User>bob</User></UserInfoRequest>",
		"<ModifyUserInfo>true</ModifyUserInfo><CustomAttributeList>"
		"</CustomAttributeList>"},
	    {"<UserQueryRequest/>",
		DONE "<UserList><User>alice</User><User>bob</User>"
		     "<User>root</User></UserList>"},
	    {"<UserDeleteRequest><User>bob</User></UserDeleteRequest>", DONE},
	    {"<UserDeleteRequest><User>bob</User></UserDeleteRequest>",
		CODE("10501")},
	    {"<UserModifyRequest><User>bob</User></UserModifyRequest>",
		CODE("10501")}, );
}

/* All of a list, or nothing of it. req: KS-31-025 KS-31-041 KS-31-045 */
static void
test_groups(void **state)
{
	(void)state;
	log_in("root", PASSWORD);
	TALK({"<UserGroupCreateRequest><Group>g1</Group>"
	      "</UserGroupCreateRequest>",
		 DONE},
	    {"<UserGroupCreateRequest><Group>g1</Group>"
	     "</UserGroupCreateRequest>",
		CODE("10504")},
	    {"<UserGroupCreateRequest><Group>g 1</Group>"
	     "</UserGroupCreateRequest>",
		CODE("10506")},
	    {"<UserGroupAddUsersRequest><Group>g1</Group><UserList>"
	     "<User>alice</User><User>nobody</User></UserList>"
	     "</UserGroupAddUsersRequest>",
		CODE("10501")},
	    {"<UserGroupInfoRequest><Group>g1</Group></UserGroupInfoRequest>",
		"<Group>g1</Group><UserList></UserList>"},
	    {"<UserGroupAddUsersRequest><Group>g1</Group><UserList>"
	     "<User>alice</User><User>root</User></UserList>"
	     "</UserGroupAddUsersRequest>",
		DONE},
	    {"<UserGroupAddUsersRequest><Group>g1</Group><UserList>"
	     "<User>alice</User></UserList></UserGroupAddUsersRequest>",
		CODE("10502")},
	    {"<UserGroupAddUsersRequest><Group>g2</Group><UserList>"
	     "<User>alice</User></UserList></UserGroupAddUsersRequest>",
		CODE("10503")},
	    {"<UserGroupAddUsersRequest><Group>g1</Group><UserList/>"
	     "</UserGroupAddUsersRequest>",
		"Missing element: User"},
	    {"<UserGroupInfoRequest><Group>g1</Group></UserGroupInfoRequest>",
		"<UserList><User>alice</User><User>root</User></UserList>"},
	    {"<UserInfoRequest><User>alice</User></UserInfoRequest>",
		"<GroupList><Group>g1</Group></GroupList>"},
	    {"<UserGroupRemoveUsersRequest><Group>g1</Group><UserList>"
	     "<User>alice</User></UserList></UserGroupRemoveUsersRequest>",
		DONE},
	    {"<UserGroupRemoveUsersRequest><Group>g1</Group><UserList>"
	     "<User>alice</User></UserList></UserGroupRemoveUsersRequest>",
		CODE("10501")},
	    {"<UserGroupQueryRequest/>",
		"<GroupList><Group>g1</Group></GroupList>"},
	    {"<UserGroupDeleteRequest><Group>g1</Group>"
	     "</UserGroupDeleteRequest>",
		DONE},
	    {"<UserGroupDeleteRequest><Group>g1</Group>"
	     "</UserGroupDeleteRequest>",
		CODE("10503")},
	    {"<UserGroupInfoRequest><Group>g1</Group></UserGroupInfoRequest>",
		CODE("10503")}, );
}

/* What a user may without administering. req: KS-31-025 KS-31-028 */
static void
test_own(void **state)
{
	(void)state;
	log_in("alice", PASSWORD);
	TALK({"<UserInfoRequest/>", DONE "<User>alice</User>"},
	    {"<UserInfoRequest><User>alice</User></UserInfoRequest>", DONE},
	    {"<UserInfoRequest><User>root</User></UserInfoRequest>",
		CODE("10105")},
	    {"<UserInfoRequest><User>nobody</User></UserInfoRequest>",
		CODE("10105")},
	    {"<UserModifyRequest><User>alice</User><Passwd>n3w" PASSWORD
	     "</Passwd></UserModifyRequest>",
		CODE("10105")}, );
	log_in("root", PASSWORD);
	TALK({"<UserModifyRequest><User>alice</User><ModifyUserInfo>true"
	      "</ModifyUserInfo></UserModifyRequest>",
	    DONE});
	log_in("alice", PASSWORD);
	TALK({"<UserModifyRequest><User>root</User><Passwd>n3w" PASSWORD
	      "</Passwd></UserModifyRequest>",
		 CODE("10105")},
	    {"<UserModifyRequest><User>alice</User><ModifyUserInfo/><Passwd>"
	     "n3w" PASSWORD "</Passwd></UserModifyRequest>",
		CODE("10105")},
	    {"<UserModifyRequest><User>alice</User><Passwd>x</Passwd>"
	     "</UserModifyRequest>",
		CODE("10505")},
	    {"<UserModifyRequest><User>alice</User><Passwd>n3w" PASSWORD
	     "</Passwd></UserModifyRequest>",
		DONE}, );
	/* req: ESKM-145 */
	desk_call(&desk);
	TALK({"<AuthRequest><User>alice</User><Passwd>" PASSWORD
	      "</Passwd></AuthRequest>",
	    CODE("10102")});
	log_in("alice", "n3w" PASSWORD);
}

/* A user who is gone is out, whatever the session was. */
static void
test_user_gone(void **state)
{
	struct nae_conn *alice;
	char why[USER_WHY_OCTETS];

	(void)state;
	log_in("alice", PASSWORD);
	alice = desk.conn;
	assert_ok(
	    user_delete(&desk.bench.appliance, bytes_of_text("alice"), why));
	assert_ptr_equal(alice, desk.conn);
	TALK({"<UserInfoRequest/>", CODE("10102")});
	assert_true(desk.finished);
}

#define NAE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NAE_TEST(test_users),
	    NAE_TEST(test_groups),
	    NAE_TEST(test_own),
	    NAE_TEST(test_user_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
