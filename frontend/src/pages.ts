// What every server-rendered page runs: htmx, the choice of dark or light, ticked rows, charts where a table asks for one.
import "htmx.org";
import "./pages.css";
import { drawCharts } from "./pages/charts";
import { offerTheme } from "./pages/theme";
import { offerTicks } from "./pages/ticks";

offerTheme(document);
offerTicks(document);
void drawCharts(document);
