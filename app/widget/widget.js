// <tranship-estimator>: asks for the price of a move and shows it. One script, no dependencies, nothing stored.
//
// Attributes: api (where the service is; default: where this script came from), lang (en | de | es; default: the
// page's), theme (auto | light | dark), source and destination (preselected), key (a key of the role "widget").
// Look: --tranship-accent, --tranship-on-accent, --tranship-surface, --tranship-text, --tranship-muted,
// --tranship-border, --tranship-error, --tranship-radius, --tranship-font.
// Events: "tranship-quote" (detail: the quote) and "tranship-error" (detail: the problem document).
(() => {
  "use strict";
  const HOME = document.currentScript ? new URL(document.currentScript.src).origin : location.origin;
  const WORDS = {
    en: {
      title: "What does your move cost?", from: "From", to: "To", records: "Records, about", submit: "Get the price",
      rehearsals: "Rehearsals", busy: "Asking…", total: "Fixed price", valid: "Valid until {date}", grade: "Complexity: {grade}",
      review: "A move of this size is scoped by a person. Quote {id} waits for its price.", number: "Quote {id}",
      offline: "The service does not answer. Try again in a moment.", limited: "Too many requests. Try again in {seconds} s.",
      choose: "Choose…", invalid: "Please check what you entered.", note: "Up to two million, the number of records does not change the price.",
    },
    de: {
      title: "Was kostet Ihr Umzug?", from: "Von", to: "Nach", records: "Datensätze, etwa", submit: "Preis berechnen",
      rehearsals: "Probeläufe", busy: "Wird berechnet…", total: "Festpreis", valid: "Gültig bis {date}", grade: "Aufwand: {grade}",
      review: "Einen Umzug dieser Größe bewertet ein Mensch. Angebot {id} wartet auf seinen Preis.", number: "Angebot {id}",
      offline: "Der Dienst antwortet nicht. Bitte gleich noch einmal versuchen.", limited: "Zu viele Anfragen. Bitte in {seconds} s noch einmal.",
      choose: "Auswählen…", invalid: "Bitte prüfen Sie Ihre Angaben.", note: "Bis zwei Millionen ändert die Zahl der Datensätze den Preis nicht.",
    },
    es: {
      title: "¿Cuánto cuesta su migración?", from: "Desde", to: "Hacia", records: "Registros, aprox.", submit: "Calcular el precio",
      rehearsals: "Ensayos", busy: "Calculando…", total: "Precio fijo", valid: "Válido hasta el {date}", grade: "Complejidad: {grade}",
      review: "Una persona valora una migración de este tamaño. El presupuesto {id} espera su precio.", number: "Presupuesto {id}",
      offline: "El servicio no responde. Inténtelo de nuevo en un momento.", limited: "Demasiadas solicitudes. Inténtelo en {seconds} s.",
      choose: "Elegir…", invalid: "Compruebe los datos introducidos.", note: "Hasta dos millones, el número de registros no cambia el precio.",
    },
  };
  const DARK = "--s:#16191f;--t:#eef0f4;--m:#a3abba;--b:#6f7889;--a:#8ab4ff;--o:#0c1526;--e:#ff9c92;color-scheme:dark";
  const STYLE = `
    :host{display:block;container-type:inline-size;max-width:36rem;
      --s:#fff;--t:#1a1f29;--m:#566072;--b:#7b8596;--a:#1f57c3;--o:#fff;--e:#b3261e;color-scheme:light;
      font:400 1rem/1.5 var(--tranship-font,system-ui,sans-serif)}
    :host([hidden]){display:none}
    @media (prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}}}
    :host([theme=dark]){${DARK}}
    *{box-sizing:border-box}
    section{background:var(--tranship-surface,var(--s));color:var(--tranship-text,var(--t));padding:1.5rem;
      border:1px solid color-mix(in srgb,var(--tranship-border,var(--b)) 45%,transparent);border-radius:var(--tranship-radius,.75rem)}
    h2{font-size:1.25rem;line-height:1.3;margin:0 0 1rem}
    form{display:grid;gap:1rem;grid-template-columns:1fr}
    @container (min-width:26rem){form{grid-template-columns:1fr 1fr}.wide{grid-column:1/-1}}
    label{display:grid;gap:.25rem;font-weight:600;font-size:.9rem;align-content:start}
    select,input,button{font:inherit;min-height:2.75rem;padding:.5rem .75rem;border-radius:calc(var(--tranship-radius,.75rem)*.66);width:100%}
    select,input{color:inherit;background:var(--tranship-surface,var(--s));border:1px solid var(--tranship-border,var(--b));
      font-size:1rem;font-weight:400}
    button{font-weight:600;cursor:pointer;border:1px solid transparent;
      background:var(--tranship-accent,var(--a));color:var(--tranship-on-accent,var(--o))}
    button[aria-disabled=true]{opacity:.65;cursor:progress}
    :is(select,input,button,h3):focus-visible{outline:3px solid var(--tranship-accent,var(--a));outline-offset:2px}
    small,.more{color:var(--tranship-muted,var(--m));font-weight:400}
    output{display:block}
    output>div{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid color-mix(in srgb,var(--tranship-border,var(--b)) 45%,transparent)}
    h3{font-size:.9rem;margin:0;width:fit-content}
    .price{font-size:2.25rem;font-weight:700;line-height:1.2;margin:0;font-variant-numeric:tabular-nums}
    dl{display:grid;grid-template-columns:1fr auto;gap:.25rem 1rem;margin:.75rem 0}
    dt,dd{margin:0}dd{font-variant-numeric:tabular-nums;text-align:right}
    .more{margin:.25rem 0 0;font-size:.875rem;overflow-wrap:anywhere}
    [role=alert]{color:var(--tranship-error,var(--e));margin:1rem 0 0;font-weight:600}
    [role=alert]:empty{display:none}`;

  const make = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const uuid = () => crypto.randomUUID ? crypto.randomUUID()
    : [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

  class TranshipEstimator extends HTMLElement {
    static observedAttributes = ["lang", "source", "destination", "api"];
    #root = this.attachShadow({ mode: "open", delegatesFocus: true });
    #pairs = [];
    #names = {};
    #asked = null;

    connectedCallback() {
      const sheet = new CSSStyleSheet(); // works under a Content-Security-Policy that forbids inline styles
      sheet.replaceSync(STYLE);
      this.#root.adoptedStyleSheets = [sheet];
      this.#draw();
      this.#load();
    }

    attributeChangedCallback(name, before, after) {
      if (!this.isConnected || before === after) return;
      this.#draw();
      if (name === "api") this.#load();
    }

    get #language() {
      const wanted = (this.getAttribute("lang") || document.documentElement.lang || navigator.language || "en").slice(0, 2);
      return WORDS[wanted.toLowerCase()] ? wanted.toLowerCase() : "en";
    }

    get #words() { return WORDS[this.#language]; }

    #url(path) { return (this.getAttribute("api") || HOME).replace(/\/+$/, "") + path; }

    async #load() {
      try {
        const answer = await fetch(this.#url("/v1/pairs"), { credentials: "omit" });
        if (!answer.ok) throw new Error(String(answer.status));
        const pairs = (await answer.json()).data;
        this.#pairs = pairs.map((one) => ({ source: one.source.slug, destination: one.destination.slug }));
        this.#names = Object.fromEntries(pairs.flatMap((one) => [one.source, one.destination]).map((one) => [one.slug, one.name]));
        this.#choices();
      } catch {
        this.#tell(this.#words.offline, { code: "offline" });
      }
    }

    #draw() {
      const words = this.#words;
      const field = (name, label, control, wide) => make("label", { class: wide ? "wide" : undefined }, label, control);
      const form = make("form", { novalidate: true, "aria-labelledby": "title" },
        field("source", words.from, make("select", { name: "source", required: true })),
        field("destination", words.to, make("select", { name: "destination", required: true })),
        field("records", words.records, make("input", { name: "records", type: "number", inputmode: "numeric", min: 0,
          max: 1000000000, step: 1, value: 10000, required: true, "aria-describedby": "note" })),
        field("rehearsals", words.rehearsals, make("input", { name: "rehearsal", type: "number", inputmode: "numeric",
          min: 0, max: 20, step: 1, value: 0, required: true })),
        make("small", { class: "wide", id: "note" }, words.note),
        make("button", { class: "wide", type: "submit" }, words.submit));
      form.addEventListener("submit", (event) => { event.preventDefault(); this.#ask(form); });
      form.elements.source.addEventListener("change", () => this.#destinations());
      this.#root.replaceChildren(make("section", { lang: this.#language, part: "panel" },
        make("h2", { id: "title", part: "title" }, words.title), form,
        make("p", { role: "alert" }), make("output", { "aria-live": "polite", part: "result" })));
      this.#choices();
    }

    #options(select, slugs, wanted) {
      const chosen = slugs.includes(select.value) ? select.value : slugs.includes(wanted) ? wanted : "";
      select.replaceChildren(make("option", { value: "" }, this.#words.choose),
        ...slugs.map((slug) => make("option", { value: slug, selected: slug === chosen }, this.#names[slug] || slug)));
    }

    #choices() {
      if (!this.#pairs.length) return;
      const form = this.#root.querySelector("form");
      this.#options(form.elements.source, [...new Set(this.#pairs.map((one) => one.source))].sort(), this.getAttribute("source"));
      this.#destinations();
    }

    #destinations() {
      const { source, destination } = this.#root.querySelector("form").elements;
      const fitting = this.#pairs.filter((one) => !source.value || one.source === source.value);
      this.#options(destination, [...new Set(fitting.map((one) => one.destination))].sort(), this.getAttribute("destination"));
    }

    async #ask(form) {
      if (this.#asked) return;
      const wrong = [...form.elements].find((one) => one.willValidate && !one.checkValidity());
      for (const one of form.elements) if (one.willValidate) one.setAttribute("aria-invalid", String(!one.checkValidity()));
      if (wrong) {
        wrong.focus();
        return this.#tell(this.#words.invalid, { code: "invalid" });
      }
      const { source, destination, records, rehearsal } = form.elements;
      const button = form.querySelector("button");
      const rehearsals = Number(rehearsal.value);
      const body = { source: source.value, destination: destination.value, counts: { records: Number(records.value) },
        options: rehearsals ? { rehearsal: rehearsals } : {} };
      this.#asked = new AbortController();
      this.#tell("");
      button.textContent = this.#words.busy;
      button.setAttribute("aria-disabled", "true");
      try {
        const headers = { "Content-Type": "application/json", "Idempotency-Key": uuid() };
        if (this.hasAttribute("key")) headers.Authorization = `Bearer ${this.getAttribute("key")}`;
        const answer = await fetch(this.#url("/v1/quotes"),
          { method: "POST", credentials: "omit", headers, body: JSON.stringify(body), signal: this.#asked.signal });
        const found = await answer.json();
        if (answer.ok) this.#show(found);
        else this.#refused(answer, found);
      } catch {
        this.#tell(this.#words.offline, { code: "offline" });
      } finally {
        this.#asked = null;
        button.textContent = this.#words.submit;
        button.removeAttribute("aria-disabled");
      }
    }

    #refused(answer, problem) {
      const seconds = answer.headers.get("Retry-After") || "60";
      this.#tell(answer.status === 429 ? fill(this.#words.limited, { seconds }) : this.#words.invalid, problem);
    }

    #tell(text, problem) {
      this.#root.querySelector("[role=alert]").textContent = text;
      if (text) this.#root.querySelector("output").replaceChildren();
      if (problem) this.dispatchEvent(new CustomEvent("tranship-error", { detail: problem, bubbles: true, composed: true }));
    }

    #show(quote) {
      const words = this.#words;
      const money = (minor) => new Intl.NumberFormat(this.#language, { style: "currency", currency: quote.currency }).format(minor / 100);
      const heading = make("h3", { tabindex: "-1" }, words.total);
      const box = make("div", {}, heading);
      if (quote.amount_minor === null) {
        heading.textContent = fill(words.number, { id: "" }).trim();
        box.append(make("p", {}, fill(words.review, { id: quote.id })));
      } else {
        const lines = make("dl");
        for (const line of quote.lines) lines.append(make("dt", {}, line.label), make("dd", {}, money(line.amount_minor)));
        const date = new Intl.DateTimeFormat(this.#language, { dateStyle: "long" }).format(new Date(quote.valid_until));
        box.append(make("p", { class: "price", part: "price" }, money(quote.amount_minor)), lines,
          make("p", { class: "more" }, `${fill(words.grade, { grade: quote.complexity.grade })} · ${fill(words.valid, { date })}`),
          make("p", { class: "more" }, fill(words.number, { id: quote.id })));
      }
      this.#root.querySelector("output").replaceChildren(box);
      heading.focus();
      this.dispatchEvent(new CustomEvent("tranship-quote", { detail: quote, bubbles: true, composed: true }));
    }
  }

  if (!customElements.get("tranship-estimator")) customElements.define("tranship-estimator", TranshipEstimator);
})();
