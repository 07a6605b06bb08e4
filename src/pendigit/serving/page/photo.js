// Photos: chosen, dropped, pasted or taken.

const MOST = 20_000_000; // bytes that the server takes
const LONGEST = 4000; // pixels: larger photos than MOST are made smaller; it reads pages at 1800

// Call `take(file)` for every photo that the user gives.
export function takePhotos(take) {
  const element = (id) => document.getElementById(id);
  element("photo").addEventListener("click", () => element("file").click());
  element("camera").addEventListener("click", () => openCamera(element, take));
  for (const input of [element("file"), element("capture")]) {
    input.addEventListener("change", () => {
      if (input.files.length) take(input.files[0]);
      input.value = ""; // so that the same photo can be chosen again
    });
  }
  addEventListener("paste", ({ clipboardData }) => takeFirst(clipboardData, take));
  takeDrops(document.querySelector(".drop"), take);
}

// A photo file -> one that the server takes, as it is if it is small enough.
export async function fitting(file) {
  if (file.size <= MOST) return file;
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

function takeFirst(transfer, take) {
  const file = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) take(file);
}

function takeDrops(curtain, take) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => (curtain.hidden = !holdsFiles(event)));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("dragleave", ({ relatedTarget }) => (curtain.hidden ||= relatedTarget === null));
  addEventListener("drop", (event) => {
    event.preventDefault();
    curtain.hidden = true;
    takeFirst(event.dataTransfer, take);
  });
}

// A viewfinder where the browser allows one, else the phone's own camera.
async function openCamera(element, take) {
  const wanted = { video: { facingMode: "environment", width: { ideal: 2560 }, height: { ideal: 1440 } } };
  const stream = await navigator.mediaDevices?.getUserMedia(wanted).catch(() => null);
  if (!stream) {
    element("capture").click();
    return;
  }
  const dialog = element("viewfinder");
  const video = dialog.querySelector("video");
  video.srcObject = stream;
  await video.play();
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue === "take") take(await shot(video));
    for (const track of stream.getTracks()) track.stop();
  }, { once: true });
}

async function shot(video) {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
}
