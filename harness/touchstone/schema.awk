# schema.awk: the fact tables become the tool's schema.
#
#   awk -v want=tags   -f schema.awk OVERLAY FACTS/*.tsv > touchstone_tags.h
#   awk -v want=tables -f schema.awk OVERLAY FACTS/*.tsv > touchstone_schema.inc
#
# FACTS: tags, enums, attributes, structures, payloads (.tsv), as
# spec-tests/facts/kmip/README.md describes them. OVERLAY: schema.overlay.tsv,
# the corrections. A row that is understood by neither stops the build: a
# schema with silent holes would let a server's mistake through.

BEGIN {
	FS = "\t"
	types = "Structure Integer LongInteger BigInteger Enumeration " \
	    "Boolean TextString ByteString DateTime Interval DateTimeExtended"
	type_count = split(types, type_names, " ")
	for (i = 1; i <= type_count; i++)
		type_bit[type_names[i]] = 2 ^ i
	version_count = split("1.0 1.1 1.2 1.3 1.4 2.0 2.1", versions, " ")
	for (i = 1; i <= version_count; i++)
		version_bit[versions[i]] = 2 ^ (i - 1)
	object_names = "Certificate Symmetric_Key Public_Key Private_Key " \
	    "Split_Key Template Secret_Data Opaque_Object PGP_Key " \
	    "Certificate_Request"
	group["@object"] = 1
	group["@attribute"] = 2
	group["@any"] = 3
	tag_count = enum_total = attribute_count = field_count = shape_count = 0
	structure_total = payload_total = 0
}

function stop(why) {
	print "schema.awk: " FILENAME ":" FNR ": " why > "/dev/stderr"
	failed = 1
	exit 1
}

# "1.4" -> 20 (0x14): major in the upper half; "-" -> what stands for open
function number(version, open,    part) {
	if (version == "-" || version == "")
		return open
	if (split(version, part, /[.-]/) < 2)
		stop("not a version: " version)
	return part[1] * 16 + part[2]
}

function within(version, since, until) {
	return number(version, 0) >= number(since, 0) &&
	    number(version, 0) <= number(until, 255)
}

# "ByteString|Structure" -> their bits; 0 for words that name no types
function type_bits(words,    part, n, i, bits) {
	n = split(words, part, "|")
	bits = 0
	for (i = 1; i <= n; i++) {
		if (!(part[i] in type_bit))
			return 0
		bits += type_bit[part[i]]
	}
	return bits
}

function both(a, b,    i, bits) {
	bits = 0
	for (i = 1; i <= type_count; i++)
		if (int(a / 2 ^ i) % 2 && int(b / 2 ^ i) % 2)
			bits += 2 ^ i
	return bits
}

function identifier(name) {
	name = toupper(name)
	gsub(/[^A-Z0-9]+/, "_", name)
	sub(/_$/, "", name)
	return name
}

# "required repeated" -> R+M, see enum field_flag of schema.h
function flags(words,    part, n, i, bits) {
	n = split(words, part, " ")
	bits = 0
	for (i = 1; i <= n; i++) {
		if (part[i] == "required")
			bits += 1
		else if (part[i] == "repeated")
			bits += 2
		else if (part[i] == "success")
			bits += 4
		else if (part[i] == "failure")
			bits += 8
		else if (part[i] != "optional")
			stop("not a flag: " part[i])
	}
	return bits
}

# What the words of a `required` column mean.
function required_flags(words) {
	if (words in overlay_required)
		return flags(overlay_required[words])
	if (words ~ /^(Yes|YES|)[.]?$/)
		return flags("required")
	if (words ~ /^Yes[.,] ?(MAY be|but MAY be the|is) ?([Rr]epeated|empty string)[.]?$/)
		return flags(words ~ /epeated/ ? "required repeated" : "required")
	if (words ~ /^Yes[.] It SHALL be either/)
		return flags("required")
	if (words ~ /^(No|If and only if)/)
		return flags(words ~ /[Rr]epeated/ ? "optional repeated" : "optional")
	stop("`required` not understood: " words)
}

# A field goes to the shape being built: its row, or an overlay's.
function put_field(name, encoding, bits, version, where,
    extra, tag_types, row, k, key) {
	extra = 0
	if (name in alias) {
		row = alias[name]
		if (row ~ / (required|optional|repeated)$/) {
			match(row, / [a-z]+$/)
			extra = flags(substr(row, RSTART + 1))
			row = substr(row, 1, RSTART - 1)
		}
		name = row
	}
	key = version SUBSEP where SUBSEP name
	if (key in overlay_field)
		bits = flags(overlay_field[key])
	else if (extra && int(bits / extra) % 2 == 0)
		bits += extra
	if (key in overlay_insert)
		put_field_row(overlay_insert[key], 0, 0, version, where)
	put_field_row(name, encoding, bits, version, where)
}

function put_field_row(name, encoding, bits, version, where,    tag, t, e) {
	if (name in group) {
		tag = group[name]
		t = 0
	} else {
		if (!(name in tag_of))
			stop("no tag for field `" name "`")
		tag = tag_of[name]
		t = tag_bits(name, version)
		if ((version, where, name) in overlay_type)
			t = type_bits(overlay_type[version, where, name])
		e = type_bits(encoding)
		if (e && t) {
			if (!both(e, t) && encoding != "Structure")
				stop("`" name "` is " encoding \
				    " here and not so in tags.tsv")
			if (both(e, t))
				t = both(e, t)
		}
	}
	field_rows[field_count++] = sprintf("{%s, %d, %d}", tag, t, bits)
	shape_fields[shape_count - 1]++
}

# The types of a tag in a version, as bits; 0: any.
function tag_bits(name, version) {
	if ((version, "-", name) in overlay_type)
		return type_bits(overlay_type[version, "-", name])
	return type_bits(tag_types_of[name])
}

function new_shape(version, kind, tag_name, key) {
	if (tag_name ~ /^0x/)
		stop("a tag by number")
	if (!(tag_name in tag_of))
		stop("no tag `" tag_name "`")
	shape_head[shape_count] = sprintf("0x%02x, %s, %s, %s, %d",
	    number(version), tag_of[tag_name], kind, key, field_count)
	shape_key[shape_count] = version SUBSEP kind SUBSEP tag_name SUBSEP key
	if (shape_key[shape_count] in shape_seen)
		stop("twice: " version " " kind " " tag_name " " key)
	shape_seen[shape_key[shape_count]] = shape_count
	has_shape[version, tag_name] = 1
	shape_fields[shape_count] = 0
	shape_version[shape_count] = version
	shape_where[shape_count] = tag_name
	return shape_count++
}

# The shape is complete: what the overlay hangs behind it.
function end_shape(version, where,    n, i, part) {
	if (where == "")
		return
	n = split(overlay_append[version, where], part, "\n")
	for (i = 1; i < n; i += 2)
		put_field_row(part[i], "", flags(part[i + 1]), version, where)
}

FNR == 1 {
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/[.]tsv$/, "", file)
	if (file == "schema.overlay")
		file = "overlay"
	else
		next
}

file == "overlay" && (/^#/ || NF == 0) { next }
file == "overlay" {
	for (i = 1; i <= version_count; i++) {
		if (!within(versions[i], $2, $3))
			continue
		v = versions[i]
		if ($1 == "alias")
			alias[$5] = $6
		else if ($1 == "required")
			overlay_required[$5] = $6
		else if ($1 == "skip")
			overlay_skip[v, $5] = 1
		else if ($1 == "section")
			overlay_section[v, $4, $5] = $6
		else if ($1 == "field")
			overlay_field[v, $4, $5] = $6
		else if ($1 == "append")
			overlay_append[v, $4] = overlay_append[v, $4] $5 "\n" $6 "\n"
		else if ($1 == "insert")
			overlay_insert[v, $4, $6] = $5
		else if ($1 == "type")
			overlay_type[v, $4, $5] = $6
		else if ($1 == "enum")
			enum_alias[$5] = $6
		else if ($1 == "variant")
			overlay_variant[v, $5] = $6
		else if ($1 == "attribute")
			overlay_attribute[$5] = overlay_attribute[$5] " " v
		else if ($1 == "like")
			overlay_like[v, $5] = $6
		else if ($1 == "open")
			overlay_open[v, $5] = 1
		else if ($1 == "empty")
			overlay_empty[v, $5] = 1
		else
			stop("no such kind of correction: " $1)
	}
	next
}

file == "tags" {
	if ($2 in tag_of)
		stop("twice: " $2)
	tag_of[$2] = "0x" tolower($1)
	tag_types_of[$2] = $3
	tag_name[tag_count] = $2
	tag_since[tag_count] = number($4)
	tag_until[tag_count] = number($5, 0)
	tag_xml[tag_count++] = $7
	next
}

file == "enums" {
	enumeration = $1
	value = $2; name = $3; since = $4; until = $5; xml = $7
	if (!(enumeration in enum_count)) {
		enum_order[enum_total] = enumeration
		enum_index[enumeration] = enum_total++
	}
	k = enum_count[enumeration]++
	enum_value[enumeration, k] = value
	enum_name[enumeration, k] = name
	enum_since[enumeration, k] = number(since)
	enum_until[enumeration, k] = number(until, 0)
	enum_xml[enumeration, k] = xml
	value_of[enumeration, name] = "0x" value
	next
}

file == "attributes" {
	name = $1
	if (name == "Custom Attribute" || name == "Certificate Attributes")
		next
	if (!(name in attribute_versions))
		attribute_order[attribute_count++] = name
	attribute_versions[name] += version_bit[$2]
	next
}

file == "structures" {
	version = $1
	title = version SUBSEP $2 SUBSEP $4
	if ($4 == "Certificate Attributes") {
		if (!($5 in attribute_versions)) {
			attribute_order[attribute_count++] = $5
			n = split(overlay_attribute[$4], part, " ")
			for (i = 1; i <= n; i++)
				attribute_versions[$5] += version_bit[part[i]]
		}
		attribute_versions[$5] += version_bit[version]
	}
	if (title != structure_title) {
		structure_title = title
		open_count = 0
		if ($6 != "Structure" || (version, $4) in overlay_skip)
			next
		structure_kind = "SHAPE_PLAIN"
		structure_key = 0
		variant = $4
		if ((version, $4) in overlay_variant) {
			variant = overlay_variant[version, $4]
		} else if (!sub(/^Credential Value Structure for the /, "", variant) &&
		    !sub(/^Key Material Object Structure for /, "", variant)) {
			variant = "-"
		}
		if (variant != "-") {
			sub(/ Credential$/, "", variant)
			sub(/Keys$/, "Key", variant)
			structure_kind = "SHAPE_VARIANT"
			if ($5 == "Credential Value")
				structure_key = value_of["Credential Type", variant]
			else if ($5 == "Key Material")
				structure_key = value_of["Key Format Type", variant]
			else if ($5 == "Derivation Parameters")
				structure_key = value_of["Derivation Method", variant]
			if (structure_key == "")
				stop("no value for variant `" variant "`")
		}
		# one table may describe several tags of the same content
		open_count = split($5, open_tags, ", ")
		flush_structure_start(version)
		next
	}
	if (open_count > 0) {
		structure_field[structure_total, structure_rows[structure_total]] = \
		    $5 "\t" $6 "\t" $7
		structure_rows[structure_total]++
	}
	next
}

function flush_structure_start(version,    s) {
	structure_total++
	structure_rows[structure_total] = 0
	structure_ver[structure_total] = version
	structure_kinds[structure_total] = structure_kind
	structure_keys[structure_total] = structure_key
	structure_tags[structure_total] = open_count
	for (s = 1; s <= open_count; s++)
		structure_tag[structure_total, s] = open_tags[s]
}

file == "payloads" {
	version = $1
	operation = $3
	direction = $4
	if ((version, $2, operation) in overlay_section)
		operation = overlay_section[version, $2, operation]
	# 5.x and 6.2 repeat what a server may send to a client
	if (direction == "")
		direction = "request"
	server = ($2 ~ /^5[.]/ || $2 ~ /^6[.]2[.]/)
	key = version SUBSEP operation SUBSEP direction
	if (server && (key in payload_rows) && payload_section[key] != $2)
		next
	if (!(key in payload_rows)) {
		payload_order[payload_total++] = key
		payload_section[key] = $2
		payload_rows[key] = 0
	}
	if ($5 != "")
		payload_field[key, payload_rows[key]++] = $5 "\t\t" $6
	next
}

END {
	if (failed)
		exit 1
	if (want == "tags")
		print_tags()
	else
		print_tables()
}

function build_structures(    n, s, r, part, name) {
	for (n = 1; n <= structure_total; n++) {
		for (s = 1; s <= structure_tags[n]; s++) {
			name = structure_tag[n, s]
			new_shape(structure_ver[n], structure_kinds[n], name,
			    structure_keys[n])
			for (r = 0; r < structure_rows[n]; r++) {
				split(structure_field[n, r], part, "\t")
				put_field(part[1], part[2],
				    required_flags(part[3]), structure_ver[n], name)
			}
			end_shape(structure_ver[n], name)
		}
	}
}

function build_payloads(    n, r, part, key, kind, name, where, code, first) {
	for (n = 0; n < payload_total; n++) {
		split(payload_order[n], key, SUBSEP)
		kind = key[3] == "request" ? "SHAPE_REQUEST" : "SHAPE_RESPONSE"
		where = key[2] ":" key[3]
		first = 0
		if (key[2] ~ / Structure$/) {
			# headers and batch items name themselves in row 0
			split(payload_field[payload_order[n], 0], part, "\t")
			name = part[1]
			code = 0
			first = 1
			if (name != "Batch Item")
				kind = "SHAPE_PLAIN"
			where = name
		} else {
			name = key[3] == "request" ? "Request Payload" : \
			    "Response Payload"
			if (!(("Operation", key[2]) in value_of))
				stop("no operation `" key[2] "`")
			code = value_of["Operation", key[2]]
		}
		new_shape(key[1], kind, name, code)
		for (r = first; r < payload_rows[payload_order[n]]; r++) {
			split(payload_field[payload_order[n], r], part, "\t")
			put_field(part[1], part[2], required_flags(part[3]),
			    key[1], where)
		}
		end_shape(key[1], where)
	}
}

# Shapes that are another's, and shapes without a field.
function build_rest(    i, v, t, name, from, key, k) {
	for (i = 1; i <= version_count; i++) {
		v = versions[i]
		for (key in overlay_like) {
			split(key, part, SUBSEP)
			if (part[1] != v)
				continue
			from = shape_seen[v SUBSEP "SHAPE_PLAIN" SUBSEP \
			    overlay_like[key] SUBSEP 0]
			if (from == "")
				stop("`" part[2] "` is like nothing in " v)
			new_shape(v, "SHAPE_PLAIN", part[2], 0)
			split(shape_head[from], k, ", ")
			for (t = 0; t < shape_fields[from]; t++) {
				field_rows[field_count++] = field_rows[k[5] + t]
				shape_fields[shape_count - 1]++
			}
		}
		for (key in overlay_empty) {
			split(key, part, SUBSEP)
			if (part[1] != v)
				continue
			name = part[2]
			sub(/:.*/, "", name)
			new_shape(v, "SHAPE_RESPONSE", "Response Payload",
			    value_of["Operation", name])
		}
		# every structure of the version has a shape or is declared open
		for (t = 0; t < tag_count; t++) {
			name = tag_name[t]
			if (tag_since[t] > number(v) ||
			    (tag_until[t] && tag_until[t] < number(v)) ||
			    tag_bits(name, v) != 2)
				continue
			if (!((v, name) in has_shape) && !((v, name) in overlay_open))
				stop("no shape for `" name "` in " v)
		}
	}
}

function print_tags(    t, k, e) {
	print "/* Made by schema.awk from spec-tests/facts/kmip. */"
	print "#ifndef TOUCHSTONE_TAGS_H\n#define TOUCHSTONE_TAGS_H\n"
	print "enum {"
	for (t = 0; t < tag_count; t++)
		printf "\tTAG_%s = %s,\n", identifier(tag_name[t]),
		    tag_of[tag_name[t]]
	print "};\n\nenum {"
	for (e = 0; e < enum_total; e++) {
		if (enum_order[e] !~ /^(Operation|Object Type|Result Status|Result Reason|Query Function|State|Credential Type|Item Type|Name Type|Revocation Reason Code|Batch Error Continuation Option)$/)
			continue
		for (k = 0; k < enum_count[enum_order[e]]; k++)
			printf "\t%s_%s = 0x%s,\n", identifier(enum_order[e]),
			    identifier(enum_name[enum_order[e], k]),
			    enum_value[enum_order[e], k]
	}
	print "};\n\n#endif"
}

function text(s) {
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

function print_tables(    t, k, e, n, name, i) {
	build_structures()
	build_payloads()
	build_rest()
	if (failed)
		exit 1
	print "/* Made by schema.awk from spec-tests/facts/kmip. */"
	print "static const struct tag_row tag_rows[] = {"
	for (t = 0; t < tag_count; t++) {
		name = tag_name[t]
		e = name in enum_alias ? enum_alias[name] : name
		printf "\t{%s, 0x%02x, 0x%02x, %d, %s, %s},\n", tag_of[name],
		    tag_since[t], tag_until[t],
		    e in enum_index ? enum_index[e] : -1, text(name),
		    text(tag_xml[t])
	}
	print "};\n\nstatic const uint16_t tag_types[][VERSIONS] = {"
	for (t = 0; t < tag_count; t++) {
		printf "\t{"
		for (i = 1; i <= version_count; i++)
			printf "%d%s", tag_bits(tag_name[t], versions[i]),
			    i < version_count ? ", " : "},\n"
	}
	print "};\n\nstatic const struct value_row value_rows[] = {"
	n = 0
	for (e = 0; e < enum_total; e++) {
		name = enum_order[e]
		enum_first[e] = n
		for (k = 0; k < enum_count[name]; k++) {
			printf "\t{0x%s, 0x%02x, 0x%02x, %s, %s},\n",
			    enum_value[name, k], enum_since[name, k],
			    enum_until[name, k], text(enum_name[name, k]),
			    text(enum_xml[name, k])
			n++
		}
	}
	print "};\n\nstatic const struct enum_row enum_rows[] = {"
	for (e = 0; e < enum_total; e++)
		printf "\t{%d, %d, %s},\n", enum_first[e],
		    enum_count[enum_order[e]], text(enum_order[e])
	print "};\n\nstatic const struct attribute_row attribute_rows[] = {"
	for (t = 0; t < attribute_count; t++) {
		name = attribute_order[t]
		e = name in alias ? alias[name] : name
		if (!(e in tag_of))
			stop("no tag for attribute `" name "`")
		printf "\t{%s, %d, %s},\n", tag_of[e],
		    attribute_versions[name], text(name)
	}
	print "};\n\nstatic const struct field field_rows[] = {"
	for (n = 0; n < field_count; n++)
		printf "\t%s,\n", field_rows[n]
	print "};\n\nstatic const struct shape shape_rows[] = {"
	for (n = 0; n < shape_count; n++)
		printf "\t{%s, %d},\n", shape_head[n], shape_fields[n]
	print "};"
}
