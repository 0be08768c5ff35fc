/** Files with the paths they have inside what the person dropped or picked. */
import { decimal, gettext, ngettext } from "../words";

export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** Left behind by operating systems, never part of a study. */
const isClutter = (path: string): boolean => /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i.test(path);

export function fromInput(files: Iterable<File>): PickedFile[] {
  return without([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** What was dropped, folders with all that is in them. Entries must be taken before the event is over. */
export async function fromDrop(items: DataTransferItemList): Promise<PickedFile[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return without((await Promise.all(entries.map(filesUnder))).flat());
}

const without = (files: PickedFile[]) => files.filter(({ path }) => !isClutter(path));

async function filesUnder(entry: FileSystemEntry): Promise<PickedFile[]> {
  if (entry.isFile)
    return [{ path: entry.fullPath.replace(/^\//, ""), file: await fileOf(entry as FileSystemFileEntry) }];
  const children = await childrenOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map(filesUnder))).flat();
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject));

/** A reader hands out a folder in portions (100 in Chromium) and then an empty one. */
async function childrenOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
  return portion.length === 0 ? [] : [...portion, ...(await childrenOf(reader))];
}

export function sizeText(bytes: number): string {
  const units = [gettext("bytes"), "kB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${decimal(bytes / 1000 ** power, power > 1 ? 1 : 0)} ${units[power]}`;
}

export function summary(files: readonly PickedFile[]): string {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return ngettext("%(n)s file, %(size)s", "%(n)s files, %(size)s", files.length, { size: sizeText(bytes) });
}
