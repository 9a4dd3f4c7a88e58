// What `keyboard.py` asks a page: an object of functions. They walk the page as it is drawn, through shadow roots and slots.
(() => {
  const within = (node) => (node.shadowRoot ? node.shadowRoot.children : node.tagName === "SLOT" ? node.assignedElements() : node.children);
  const flat = (node) => [node, ...[...within(node)].flatMap(flat)];
  const seen = (each) => each.checkVisibility({ visibilityProperty: true });
  const told = (each) =>
    `${each.tagName.toLowerCase()} ${each.ariaLabel ?? each.labels?.[0]?.innerText ?? (each.innerText || each.id)}`
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, 60);

  /** All that Tab should reach, in the order of the page, or of the dialog that is open. */
  function controls() {
    const can = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const modal = flat(document.body).find((each) => each.matches("dialog:modal"));
    return flat(modal ?? document.body)
      .filter((each) => each.matches(can) && !each.disabled && seen(each) && !(each.type === "radio" && !each.checked))
      .map(told);
  }

  /** Where the focus is, in pixels of the whole page; null: nowhere. */
  function focused() {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    if (!one || one === document.body) return null;
    const marked = (each) => {
      const style = each && getComputedStyle(each);
      return !!style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    };
    const box = one.getBoundingClientRect();
    let [x, y] = [0, 0];
    for (let above = one.parentElement ?? one.getRootNode().host; above; above = above.parentElement ?? above.getRootNode().host)
      [x, y] = [x + above.scrollLeft, y + above.scrollTop];
    const bar = document.querySelector("header.bar");
    const under = bar && !bar.contains(one) && bar.contains(document.elementFromPoint((box.left + box.right) / 2, box.top + 2));
    return {
      told: told(one),
      ...{ top: box.top + y, bottom: box.bottom + y, left: box.left + x, right: box.right + x },
      marked: marked(one) || marked(one.nextElementSibling),
      inside: box.bottom > 0 && box.top < window.innerHeight && (!under || box.height > window.innerHeight - 100),
      scroller: one.scrollHeight > one.clientHeight && !one.matches("a, button, input, select, summary, textarea"),
    };
  }

  /** What is wider than the page, or cut off without saying so. */
  function cut() {
    const wide = document.documentElement.clientWidth;
    const faulty = (each) => {
      if (!seen(each) || each.closest(".visually-hidden, .skip, svg, option")) return false;
      const box = each.getBoundingClientRect();
      if (!box.width) return false;
      if (box.left < -1 || box.right > wide + 1) return true;
      const style = getComputedStyle(each);
      const hides = /hidden|clip/.test(style.overflowX + style.overflowY) && style.textOverflow !== "ellipsis";
      if (!hides || /auto|scroll/.test(style.overflowY) || each.matches("input, textarea, select")) return false;
      return each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1;
    };
    return flat(document.body)
      .filter(faulty)
      .map((each) => `${each.tagName}.${each.className} ${(each.textContent ?? "").slice(0, 40)}`);
  }

  return { controls, focused, cut };
})()
