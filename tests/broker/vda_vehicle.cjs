// A virtual vehicle that speaks VDA 5050 2.0, of vda-5050-lib, with an account of ours.
//     node vda_vehicle.cjs PORT USER SECRET MANUFACTURER SERIAL
const { AgvController, VirtualAgvAdapter } = require("vda-5050-lib");

const [port, username, password, manufacturer, serialNumber] = process.argv.slice(2);
const transport = { brokerUrl: `mqtt://127.0.0.1:${port}`, username, password };
const intervals = { agvAdapterType: VirtualAgvAdapter, publishStateInterval: 1000, publishVisualizationInterval: 500 };

async function main() {
    const agv = { manufacturer, serialNumber };
    const vehicle = new AgvController(agv, { interfaceName: "uagv", transport, vdaVersion: "2.0.0" }, intervals, { vehicleSpeed: 2 });
    await vehicle.start();
    console.log("started");
}

main().catch(error => { console.error(error); process.exit(1); });
