namespace RaftMq.Cli.LocalCluster;

/// <summary>A line per node: rewritten in place on a terminal, printed on change elsewhere. Other lines go above them.</summary>
internal sealed class LiveLines(TextWriter output, bool terminal)
{
    private readonly Lock gate = new();
    private readonly Dictionary<int, string> printed = [];
    private int linesBelow;

    public void Say(string line)
    {
        lock (gate)
        {
            Clear();
            output.WriteLine(line);
            output.Flush();
        }
    }

    public void Show(IReadOnlyList<NodeState> nodes)
    {
        lock (gate)
        {
            if (terminal)
            {
                Clear();
                foreach (NodeState node in nodes)
                {
                    output.WriteLine(node.LiveLine());
                }

                linesBelow = nodes.Count;
            }
            else
            {
                foreach (NodeState node in nodes.Where(node => printed.GetValueOrDefault(node.Node) != node.Roles()))
                {
                    printed[node.Node] = node.Roles();
                    output.WriteLine(node.Line());
                }
            }

            output.Flush();
        }
    }

    // Up by the lines drawn last, then clear to the end of the screen.
    private void Clear()
    {
        if (linesBelow > 0)
        {
            output.Write($"\u001b[{linesBelow}A\u001b[J");
            linesBelow = 0;
        }
    }
}
