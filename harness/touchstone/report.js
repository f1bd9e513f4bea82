"use strict";
const tests = [...document.querySelectorAll(".t")];
const find = document.getElementById("find");

find.hidden = false;
find.addEventListener("input", () => {
	const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
	for (const t of tests) {
		const text = t.querySelector(".row").textContent.toLowerCase();
		t.hidden = !words.every((w) => text.includes(w));
	}
});

/* A square of the matrix leads to its test, whatever is filtered. */
function go() {
	const t = document.getElementById(location.hash.slice(1));
	if (!t || !t.classList.contains("t"))
		return;
	if (getComputedStyle(t).display === "none") {
		find.value = "";
		find.dispatchEvent(new Event("input"));
		document.getElementById("show-all").checked = true;
	}
	t.open = true;
	t.scrollIntoView();
}
addEventListener("hashchange", go);
go();

/* A long message is scrolled to where it differs. */
document.addEventListener("toggle", (e) => {
	for (const pre of e.target.querySelectorAll("pre")) {
		const mark = pre.querySelector("mark");
		if (mark)
			pre.scrollTop = mark.offsetTop - pre.offsetTop - 90;
	}
}, true);

for (const b of document.querySelectorAll("button")) {
	b.hidden = !navigator.clipboard;
	b.addEventListener("click", async () => {
		await navigator.clipboard.writeText(b.previousElementSibling.textContent);
		b.textContent = "copied";
		setTimeout(() => { b.textContent = "copy"; }, 1200);
	});
}

/* On paper everything that is shown is open. */
addEventListener("beforeprint", () => {
	for (const t of tests)
		t.open = true;
});
