import { KeySheet } from "./KeySheet";
import type { Work } from "./context";
import { Notices } from "./Notices";
import { Planes } from "./Planes";
import { ReasonDialog } from "./Progress";
import { SidePanel } from "./SidePanel";
import { SliceBar } from "./SliceBar";
import { Stage } from "./Stage";
import { ToolBar } from "./ToolBar";
import { TopBar } from "./TopBar";

export function App({ work }: { work: Work }) {
  return (
    <>
      <TopBar work={work} />
      <ToolBar work={work} />
      <main class={work.desk.preferences.planes.value ? "centre has-planes" : "centre"}>
        <Stage work={work} />
        <Planes work={work} />
        <SliceBar work={work} />
      </main>
      <SidePanel work={work} />
      <Notices work={work} />
      <KeySheet work={work} />
      <ReasonDialog work={work} />
    </>
  );
}
