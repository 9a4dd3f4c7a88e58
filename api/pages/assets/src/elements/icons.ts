// The shapes of the icons, from the sprite in the page's layout. The npm package has shapes of its own in this place.
export function shapesOf(name: string): Node[] {
  return [...(document.querySelector(`#icon-${name}`)?.cloneNode(true).childNodes ?? [])];
}
