// What every server-rendered page runs: htmx, the choice of dark or light, the bell, charts where a table asks for one.
import "htmx.org";
import "./pages.css";
import { drawCharts } from "./pages/charts";
import { followNotices } from "./pages/notices";
import { offerTheme } from "./pages/theme";

offerTheme(document);
followNotices(document);
void drawCharts(document);
