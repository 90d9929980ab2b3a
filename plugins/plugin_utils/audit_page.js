// SPDX-License-Identifier: GPL-3.0-or-later
// The filter of the matrix and the explanation of a cell. All text is set with textContent or copied as elements.
'use strict';
(() => {
  const table = document.getElementById('matrix');
  if (!table) return;
  const id = (name) => document.getElementById(name);
  const make = (name, text) => Object.assign(document.createElement(name), text === undefined ? {} : {textContent: text});
  const verbs = {W: 'writes', P: 'pulls', D: 'describes', '?': 'unknown'};
  const cellsShown = 1000;

  // The table of the page is the data.
  const [first, ...heads] = table.tHead.rows[0].cells;
  const consumers = heads.map((head) => ({head, text: `${head.textContent} ${head.dataset.p}`.toLowerCase()}));
  const rows = Array.from(table.tBodies[0].rows, (row) => ({
    names: Array.from(row.cells[0].children, (name) => ({name, text: name.textContent.trim(), lower: name.textContent.toLowerCase()})),
    cells: Array.from(row.cells).slice(1).map((cell) => {
      const [, letter, number] = /^(\D*)(\d*)$/.exec(cell.textContent.trim());
      return number && {letter, number, kind: letter.includes('?') ? 'U' : letter};
    }),
  }));
  const paths = new Map(Array.from(id('explanations').querySelectorAll('details'), (one) => [one.id.slice(1), one.dataset.w.split(' ')]));
  const total = rows.reduce((sum, row) => sum + row.names.length, 0);
  let screens = 1;
  let shown = [];

  const matches = (cell, access, path) => cell
    && (!access || cell.letter.includes(access))
    && (!path || paths.get(cell.number).includes(path));

  function place(name) {
    const [label, region] = name.childNodes;
    return `${label.textContent} in ${(region && region.textContent.trim()) || table.dataset.region}`;
  }

  function title(names) {
    const list = make('details');
    list.append(make('summary', `${names[0].text} and ${(names.length - 1).toLocaleString('en')} more`), ...names.slice(1, 200).map((one) => one.name));
    if (names.length > 200) list.append(make('div', `${(names.length - 200).toLocaleString('en')} more; use the filter`));
    return list;
  }

  function drawn(row, names, columns, access, path) {
    const line = make('tr');
    const head = make('th');
    head.scope = 'row';
    head.append(names.length === 1 ? names[0].name : title(names));
    line.append(head);
    for (const column of columns) {
      const cell = row.cells[column];
      const square = line.insertCell();
      if (!matches(cell, access, path)) continue;
      const button = make('button', cell.letter);
      button.type = 'button';
      button.className = cell.kind;
      button.tabIndex = -1;
      button.setAttribute('aria-label', `${cell.letter}: ${[...cell.letter].map((one) => verbs[one]).join(', ')}`);
      button.dataset.number = cell.number;
      button.dataset.row = shown.length;
      button.dataset.column = column;
      square.append(button);
    }
    shown.push({row, names});
    return line;
  }

  function filter() {
    const [repository, consumer] = ['f-repository', 'f-consumer'].map((name) => id(name).value.trim().toLowerCase());
    const [access, path] = [id('f-access').value, id('f-path').value];
    const columns = [...consumers.keys()].filter((column) => consumers[column].text.includes(consumer));
    const found = [];
    const used = new Set();
    let repositories = 0;
    for (const row of rows) {
      const hits = columns.filter((column) => matches(row.cells[column], access, path));
      const names = hits.length ? row.names.filter((one) => one.lower.includes(repository)) : [];
      if (!names.length) continue;
      hits.forEach((column) => used.add(column));
      repositories += names.length;
      found.push([row, names]);
    }
    const visible = columns.filter((column) => used.has(column));
    const limit = screens * Math.max(10, Math.floor(cellsShown / Math.max(1, visible.length)));
    shown = [];
    const body = make('tbody');
    body.append(...found.slice(0, limit).map(([row, names]) => drawn(row, names, visible, access, path)));
    table.tBodies[0].replaceWith(body);
    table.tHead.rows[0].replaceChildren(first, ...visible.map((column) => consumers[column].head));
    const entry = body.querySelector('button');
    if (entry) entry.tabIndex = 0;
    id('more').hidden = found.length <= limit;
    id('status').textContent = `${repositories.toLocaleString('en')} of ${total.toLocaleString('en')} repositories, ${visible.length.toLocaleString('en')} of ${consumers.length.toLocaleString('en')} consumers`
      + (found.length > limit ? `; the first ${limit} of ${found.length.toLocaleString('en')} rows are shown` : '');
  }

  function explain(button) {
    const {row, names} = shown[button.dataset.row];
    const cell = row.cells[button.dataset.column];
    const one = names.length === 1;
    id('why-title').textContent = consumers[button.dataset.column].head.dataset.p;
    id('why-names').textContent = one ? place(names[0].name) : `${names[0].text} and ${names.length - 1} more repositories with the same access`;
    const source = id(`x${cell.number}`);
    const copy = source.querySelector('div').cloneNode(true);
    if (one) copy.querySelectorAll('i').forEach((mark) => { mark.textContent = place(names[0].name); });
    id('why-text').replaceChildren(make('p', source.querySelector('summary').textContent.replace(/^\S+ /, '')), copy);
    id('why').showModal();
  }

  function move(button, key) {
    const lines = [...table.tBodies[0].rows];
    let [y, x] = [lines.indexOf(button.closest('tr')), button.closest('td').cellIndex];
    const [dy, dx] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[key];
    let next = null;
    do {
      [y, x] = [y + dy, x + dx];
      if (!lines[y] || !lines[y].cells[x] || !x) return;
      next = lines[y].cells[x].querySelector('button');
    } while (!next);
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  table.addEventListener('click', (event) => {
    const button = event.target.closest('td button');
    if (button) explain(button);
  });
  table.addEventListener('keydown', (event) => {
    const button = event.target.closest('td button');
    if (!button || !event.key.startsWith('Arrow')) return;
    event.preventDefault();
    move(button, event.key);
  });
  id('controls').addEventListener('submit', (event) => event.preventDefault());
  id('controls').addEventListener('input', () => { screens = 1; filter(); });
  id('more').addEventListener('click', () => { screens += 1; filter(); });
  id('close').addEventListener('click', () => id('why').close());
  document.documentElement.classList.add('script');
  id('controls').hidden = false;
  filter();
})();
