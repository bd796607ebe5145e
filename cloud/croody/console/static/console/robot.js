// The page of one robot: what is live comes by the kit, what is drawn is drawn here. Words are the server's.
import { localise } from "../web/ages.js";
import { onPlaced } from "../web/live.js";
import "./charts.js";

// What the stream brought holds times as the server writes them.
onPlaced((message) => {
  if (message.html) localise(document.getElementById("live"));
});
