// Elements from what they hold. Text goes in as text nodes and in no other way: what carriers say is shown, never run.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false).map(
    (child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

export const pill = (text, kind = "") => make("span", { class: `pill ${kind}` }, text);

export const figure = (name, value) => make("div", { class: "figure" }, make("b", {}, value), make("span", {}, name));

// `columns` are {name, kind, cell(row)}; on a narrow screen each row is a card in which the first cell is the title.
export function table(columns, rows, caption) {
  const head = columns.map((column) => make("th", { scope: "col", class: column.kind }, column.name));
  const body = rows.map((row) => make("tr", {}, columns.map((column, index) => {
    const content = [column.cell(row)].flat();
    const empty = content.every((part) => part === undefined || part === null || part === "");
    const kind = [column.kind, index === 0 && "name", empty && "empty"].filter(Boolean).join(" ");
    return make("td", { class: kind || undefined, "data-name": column.name }, content);
  })));
  return make("div", { class: "scroll" }, make("table", { class: "cards", "aria-label": caption },
    make("thead", {}, make("tr", {}, head)), make("tbody", {}, body)));
}
