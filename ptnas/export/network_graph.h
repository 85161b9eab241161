#pragma once

#include <string>
#include <vector>

#include "ptnas/export/graph.h"
#include "ptnas/network/derived_network.h"

namespace ptnas {

/// The steps of a network in evaluation mode: images [N, C, H, W] of its shape -> logits [N, classes]. With
/// `mean` and `deviation` (by channel) the images are pixel / 255 and normalised first; without, they are
/// normalised already. The auxiliary head is left out, it is for training. The graph shares the network's
/// tensors.
Graph graph_of(const DerivedNetwork& network, const std::vector<double>& mean = {},
               const std::vector<double>& deviation = {});

/// Appends an operation's steps on value `x`, [N, C, H, W]: its nodes are named `name`, a dot and what they
/// are. Returns the number of its result: `x` itself for an identity.
int append_operation(Graph& graph, int x, const OperationParts& parts, int stride, const std::string& name);

}  // namespace ptnas
