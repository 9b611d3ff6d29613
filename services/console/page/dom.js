// A small way to say what the page should look like and to change only what differs, so
// that focus, selections and scroll positions stay while figures change.

const SVG = 'http://www.w3.org/2000/svg';

/** Describes an element; children may be texts, elements, lists of them, or nothing. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter(shown) };
}

function shown(child) {
  return child !== null && child !== undefined && child !== false && child !== '';
}

/** Makes a real element's children look like these. */
export function render(parent, ...children) {
  children = children.flat(Infinity).filter(shown);
  const keyed = new Map();
  for (const node of parent.childNodes) {
    if (node.describedBy?.props.key !== undefined) keyed.set(node.describedBy.props.key, node);
  }
  let next = parent.firstChild;
  for (const child of children) {
    const wanted = child.props?.key === undefined ? next : keyed.get(child.props.key);
    const node = wanted && fits(wanted, child) ? wanted : create(child, parent);
    update(node, child);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function fits(node, child) {
  if (typeof child !== 'object') return node.nodeType === Node.TEXT_NODE;
  return node.describedBy?.tag === child.tag && node.describedBy.props.key === child.props.key;
}

function create(child, parent) {
  if (typeof child !== 'object') return document.createTextNode('');
  const inSvg = child.tag === 'svg' || (parent.namespaceURI === SVG && parent.tagName !== 'foreignObject');
  return inSvg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
}

function update(node, child) {
  if (typeof child !== 'object') {
    const text = String(child);
    if (node.data !== text) node.data = text;
    return;
  }
  const before = node.describedBy?.props ?? {};
  node.describedBy = child;
  for (const name of Object.keys(before)) {
    if (!(name in child.props)) set(node, name, undefined);
  }
  for (const [name, value] of Object.entries(child.props)) {
    if (before[name] !== value) set(node, name, value);
  }
  render(node, child.children);
}

function set(node, name, value) {
  if (name === 'key') return;
  if (name.startsWith('on')) {
    node[name] = value ?? null;
  } else if (name === 'at') {
    // Places and sizes: the page's policy allows no style attribute, this is none.
    for (const [property, text] of Object.entries(value ?? {})) node.style.setProperty(property, text);
  } else if (name === 'value' || name === 'checked') {
    // What somebody is typing stays.
    if (document.activeElement !== node || name === 'checked') node[name] = value ?? '';
  } else if (value === undefined || value === null || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? '' : value);
  }
}
