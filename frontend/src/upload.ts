/** The upload page: a drop zone and buttons in the server's form, then what became of every series. */
import { fromDrop, fromInput, type PickedFile, summary } from "./upload/files";
import { follow, type ImportState, type ReportEntry, send, uploadForm } from "./upload/importing";
import { gettext } from "./words";

const FORM = `
  <div class="dropzone">
    <p>${gettext("Drop a folder of DICOM files, a zip or NIfTI files here")}</p>
    <div class="actions">
      <button type="button" data-pick="folder">${gettext("Choose a folder…")}</button>
      <button type="button" data-pick="files">${gettext("Choose files…")}</button>
    </div>
    <input type="file" data-input="folder" webkitdirectory multiple hidden>
    <input type="file" data-input="files" multiple hidden accept=".zip,.nii,.gz,.dcm,application/dicom">
    <p class="quiet" data-part="chosen" aria-live="polite">${gettext("Nothing chosen yet")}</p>
  </div>
  <div class="actions"><button type="submit" class="primary" disabled>${gettext("Upload")}</button></div>
  <section class="upload-progress" hidden>
    <p data-part="stage" role="status"></p>
    <progress max="1" value="0" aria-label="${gettext("Progress")}"></progress>
  </section>
  <p class="error" role="alert" hidden></p>
  <ul class="report" aria-label="${gettext("What became of the files")}" aria-live="polite"></ul>`;

const OUTCOMES = {
  imported: [gettext("Imported"), "good"],
  known: [gettext("Already here"), "warn"],
  refused: [gettext("Refused"), "bad"],
} as const;
const STAGES = {
  received: gettext("Waiting for the import…"),
  running: gettext("Importing…"),
  done: gettext("Import finished."),
  failed: gettext("The import failed."),
};

class UploadPage {
  private readonly form: HTMLFormElement;
  private readonly submit: HTMLButtonElement;
  private files: readonly PickedFile[] = [];

  constructor(form: HTMLFormElement) {
    this.form = form;
    for (const left of form.querySelectorAll("button, input[type=submit], input[type=file]")) left.remove(); // for browsers without scripts
    form.insertAdjacentHTML("beforeend", FORM);
    this.submit = this.find("button[type=submit]");
    this.connectPickers();
    this.connectDropZone();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.upload();
    });
  }

  private find<E extends Element>(selector: string): E {
    return this.form.querySelector(selector) as E;
  }

  private connectPickers(): void {
    for (const kind of ["folder", "files"]) {
      const input = this.find<HTMLInputElement>(`[data-input=${kind}]`);
      this.find<HTMLButtonElement>(`[data-pick=${kind}]`).addEventListener("click", () => input.click());
      input.addEventListener("change", () => this.choose(fromInput(input.files ?? [])));
    }
  }

  private connectDropZone(): void {
    const zone = this.find<HTMLElement>(".dropzone");
    const mark = (over: boolean) => (event: DragEvent) => {
      event.preventDefault();
      zone.classList.toggle("is-over", over);
    };
    zone.addEventListener("dragover", mark(true));
    zone.addEventListener("dragleave", mark(false));
    zone.addEventListener("drop", (event) => {
      mark(false)(event);
      if (event.dataTransfer) void fromDrop(event.dataTransfer.items).then((files) => this.choose(files));
    });
  }

  private choose(files: readonly PickedFile[]): void {
    this.files = files;
    this.find("[data-part=chosen]").textContent = files.length
      ? summary(files)
      : gettext("There is no file in what you chose");
    this.submit.textContent = files.length ? gettext("Upload %(files)s", { files: summary(files) }) : gettext("Upload");
    this.submit.disabled = files.length === 0;
    this.say("");
  }

  private async upload(): Promise<void> {
    this.submit.disabled = true;
    this.say("");
    this.showReport([]);
    try {
      this.progress(gettext("Uploading…"), 0);
      const data = uploadForm(this.form, this.files);
      const url = await send(this.form.dataset.url ?? "", data, (share) => this.progress(gettext("Uploading…"), share));
      for await (const state of follow(url)) this.showImport(state);
      this.choose([]);
      this.find("[data-part=chosen]").textContent = gettext("Choose more, if there is more");
    } catch (error) {
      this.say((error as Error).message);
      this.submit.disabled = false;
    }
  }

  private progress(stage: string, share: number): void {
    this.find<HTMLElement>(".upload-progress").hidden = false;
    this.find("[data-part=stage]").textContent = stage;
    this.find<HTMLProgressElement>("progress").value = share;
  }

  private showImport({ state, progress, report }: ImportState): void {
    this.progress(STAGES[state], state === "done" ? 1 : progress);
    this.showReport(report);
  }

  private showReport(report: readonly ReportEntry[]): void {
    this.find(".report").replaceChildren(...report.map(reportItem));
  }

  private say(sentence: string): void {
    const error = this.find<HTMLElement>(".error[role=alert]");
    error.textContent = sentence;
    error.hidden = sentence === "";
  }
}

function reportItem({ name, outcome, sentences }: ReportEntry): HTMLLIElement {
  const [word, tone] = OUTCOMES[outcome];
  const item = document.createElement("li");
  item.append(textElement("span", word, `tag ${tone}`), textElement("strong", name));
  item.append(...sentences.map((sentence) => textElement("p", sentence)));
  return item;
}

function textElement(tag: string, text: string, className = ""): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const form = document.querySelector<HTMLFormElement>("form#upload");
if (form) new UploadPage(form);
