// Reading a QR code from a picture, on the device. Fetched only when somebody picks a picture.
import { decodeQR } from "qr/decode.js";

/** Widths in pixels at which a picture is looked at: a photo's noise goes when it gets smaller, a small code's detail too. */
const WIDTHS = [1000, 1800, 500];

/** Return the text of the QR code in a picture, or null if none can be read. Rejects when it is no picture. */
export async function readQr(picture: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(picture);
  try {
    for (const width of WIDTHS) {
      const found = decode(bitmap, Math.min(1, width / Math.max(bitmap.width, bitmap.height)));
      if (found !== null) return found;
    }
    return null;
  } finally {
    bitmap.close();
  }
}

function decode(bitmap: ImageBitmap, scale: number): string | null {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  // Behind a code without a background the page would be black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  try {
    return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null; // the library throws where it finds nothing
  }
}
