// A vehicle and a fleet control that speak VDA 5050 2.0, of vda-5050-lib: the vehicle is virtual, the orders are real.
//     node vda_site.cjs PORT
const { AgvController, MasterController, VirtualAgvAdapter, BlockingType } = require("vda-5050-lib");

const port = process.argv[2];
const options = { interfaceName: "uagv", transport: { brokerUrl: `mqtt://127.0.0.1:${port}` }, vdaVersion: "2.0.0" };
const agv = { manufacturer: "Acme", serialNumber: "AGV-1" };

async function main() {
    const vehicle = new AgvController(agv, options, { agvAdapterType: VirtualAgvAdapter, publishStateInterval: 1000, publishVisualizationInterval: 500 }, {
        vehicleSpeed: 2,
    });
    await vehicle.start();
    const master = new MasterController(options, {});
    await master.start();
    const pick = { actionId: "a1", actionType: "pick", blockingType: BlockingType.Hard,
        actionParameters: [{ key: "stationType", value: "floor" }, { key: "loadType", value: "EPAL" }] };
    const order = {
        orderId: "order-7", orderUpdateId: 0,
        nodes: [
            { nodeId: "dock", sequenceId: 0, released: true, nodePosition: { x: 0, y: 0, mapId: "local" }, actions: [pick] },
            { nodeId: "gate", sequenceId: 2, released: true, nodePosition: { x: 400, y: 300, mapId: "local" }, actions: [] },
        ],
        edges: [{ edgeId: "aisle", sequenceId: 1, startNodeId: "dock", endNodeId: "gate", released: true, actions: [] }],
    };
    await master.assignOrder(agv, order, { onOrderProcessed: () => {}, onEdgeTraversing: () => {}, onNodeTraversed: () => {} });
    console.log("ordered");
    process.stdin.resume();
    process.stdin.on("end", async () => { await vehicle.stop(); await master.stop(); process.exit(0); });
}

main().catch(error => { console.error(error); process.exit(1); });
