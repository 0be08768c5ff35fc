// Put into the page by browser_bench.py: `bench` reads the clock of the page itself, so no wait of the driver is measured.
() => {
  let [down, up, before] = [0, 0, undefined];
  let slices = [];
  const press = ({ timeStamp }) => [down, before] = [timeStamp, annotator.state().lastAnswer];
  addEventListener("pointerdown", press, true);
  addEventListener("pointerup", ({ timeStamp }) => { up = timeStamp; }, true);

  /** When each answer to the press was first drawn; without one, masks change places where labels overlap. */
  const answersPainted = () => {
    const painted = new Map();
    for (const { at, answer } of annotator.paintedAt)
      if (at > down && answer !== before && !painted.has(answer)) painted.set(answer, at);
    return [...painted];
  };
  const eachFrame = (look) => requestAnimationFrame((now) => look(now) && eachFrame(look));

  window.bench = {
    /** From the press to the frame that was drawn with a new mask, and how long of it the server was waited for. */
    click() {
      const [[answer, at]] = answersPainted();
      return { painted: at - down, server: answer.roundTripMs };
    },

    /** From the press to the first frame in which all is saved. */
    whenSaved: () => new Promise((resolve) => eachFrame((now) => {
      const { saved, waiting } = annotator.state();
      const isSaved = saved === "saved" && waiting === 0;
      if (isSaved) resolve(now - down);
      return !isSaved;
    })),

    isReleased: () => up > down,

    /** Under the drag that has just ended. */
    masksPerSecond() {
      const shown = answersPainted().filter(([, at]) => at <= up);
      return (shown.length * 1000) / (up - down);
    },

    /** Notes the frames in which another slice is there. */
    watchSlices() {
      let shown = annotator.state().z;
      const noted = [performance.now()];
      slices = noted;
      eachFrame((now) => {
        const { z, sliceLoaded } = annotator.state();
        if (z !== shown && sliceLoaded) [shown] = [z, noted.push(now)];
        return slices === noted;
      });
    },

    slicesPerSecond() {
      const [noted, seconds] = [slices, (slices.at(-1) - slices[0]) / 1000];
      slices = [];
      return (noted.length - 1) / seconds;
    },
  };
}
