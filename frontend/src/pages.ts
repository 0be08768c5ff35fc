// What every server-rendered page runs: htmx, the choice of dark or light, charts where a table asks for one.
import "htmx.org";
import "./pages.css";
import { drawCharts } from "./pages/charts";
import { offerTheme } from "./pages/theme";

offerTheme(document);
void drawCharts(document);
