// What every server-rendered page runs: htmx, dark or light, the bell, ticked rows, an open training, charts where a table asks for one.
import "htmx.org";
import "./pages.css";
import { drawCharts } from "./pages/charts";
import { followNotices } from "./pages/notices";
import { offerTheme } from "./pages/theme";
import { offerTicks } from "./pages/ticks";
import { followTraining } from "./pages/training";

offerTheme(document);
followNotices(document);
offerTicks(document);
followTraining(document);
void drawCharts(document);
