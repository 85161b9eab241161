// What a run's page knows of its run: its decisions, the lines of its phases, names of its space.

const selection = data.selection;
const events = selection?.events ?? [];
const operations = [...new Set(Object.values(selection?.candidates ?? {}).flat(2))];
const lines = (phase) => data.metrics.filter((line) => line.phase === phase);
const {oneInput, cellTypes, cellName, stateName, edgeName, edgeEnds} = spaceNames(selection?.space ?? data.configuration.space);
