#include "xml.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <string.h>

static const char *
copy_text(struct arena *a, const xmlChar *text)
{
	return arena_strdup(a, text == NULL ? "" : (const char *)text);
}

static struct element_attribute *
copy_attributes(struct arena *a, const xmlNode *from)
{
	struct element_attribute *first = NULL, **tail = &first;

	for (const xmlAttr *x = from->properties; x != NULL; x = x->next) {
		struct element_attribute *to =
		    ARENA_NEW(a, struct element_attribute);

		to->name = copy_text(a, x->name);
		to->value = copy_text(
		    a, x->children == NULL ? NULL : x->children->content);
		*tail = to;
		tail = &to->next;
	}
	return first;
}

static struct element *copy_list(struct arena *a, const xmlNode *from);

static struct element *
copy_one(struct arena *a, const xmlNode *from)
{
	struct element *to = ARENA_NEW(a, struct element);

	to->line = (unsigned)xmlGetLineNo((xmlNode *)(uintptr_t)from);
	if (from->type == XML_ELEMENT_NODE) {
		to->kind = ELEMENT_TAG;
		to->name = copy_text(a, from->name);
		to->attributes = copy_attributes(a, from);
		to->first = copy_list(a, from->children);
		return to;
	}
	to->kind =
	    from->type == XML_COMMENT_NODE ? ELEMENT_COMMENT : ELEMENT_TEXT;
	to->text = copy_text(a, from->content);
	return to;
}

static struct element *
copy_list(struct arena *a, const xmlNode *from)
{
	struct element *first = NULL, **tail = &first;

	for (; from != NULL; from = from->next) {
		if (from->type != XML_ELEMENT_NODE &&
		    from->type != XML_TEXT_NODE &&
		    from->type != XML_CDATA_SECTION_NODE &&
		    from->type != XML_COMMENT_NODE)
			continue;
		*tail = copy_one(a, from);
		tail = &(*tail)->next;
	}
	return first;
}

enum err
xml_read(
    struct arena *a, struct bytes in, struct element **out, struct fault *f)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR |
			    XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	xmlParserCtxt *parser;
	xmlDoc *doc = NULL;
	enum err rc = OK;

	*out = NULL;
	if (in.octets > XML_MAX_OCTETS)
		return fault_say(
		    f, ERR_SIZE, "more than %zu octets", XML_MAX_OCTETS);
	parser = xmlNewParserCtxt();
	if (parser == NULL)
		return fault_say(f, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (in.octets > 0)
		doc = xmlCtxtReadMemory(parser, (const char *)in.at,
		    (int)in.octets, NULL, NULL, options);
	if (doc == NULL) {
		const xmlError *e = xmlCtxtGetLastError(parser);

		rc = fault_say(f, ERR_SYNTAX, "line %d: %.*s",
		    e == NULL ? 1 : e->line,
		    e == NULL || e->message == NULL
			? 0
			: (int)strcspn(e->message, "\n"),
		    e == NULL || e->message == NULL ? "" : e->message);
		goto out;
	}
	if (xmlGetIntSubset(doc) != NULL) {
		rc = fault_say(
		    f, ERR_SYNTAX, "a document type declaration is not taken");
		goto out;
	}
	*out = copy_list(a, doc->children);
out:
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return rc;
}

const char *
xml_attribute(const struct element *e, const char *name)
{
	for (const struct element_attribute *x = e->attributes; x != NULL;
	     x = x->next)
		if (strcmp(x->name, name) == 0)
			return x->value;
	return NULL;
}

struct element *
xml_root(struct element *top)
{
	while (top != NULL && top->kind != ELEMENT_TAG)
		top = top->next;
	return top;
}
