package io.github.workerregistry.process;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The members of one tree during a search: those that were known before, and those found. Not thread-safe. */
final class TreeMembers {

    private final Map<ProcessIdentity, ProcessMark> members;
    private final Set<ProcessIdentity> excluded;
    private final Map<ProcessIdentity, ProcessMark> found = new LinkedHashMap<>();

    /**
     * @param known the known members, each with its own mark or that of the parent through which it was found
     * @param excluded processes that never become members
     */
    TreeMembers(Map<ProcessIdentity, ProcessMark> known, Set<ProcessIdentity> excluded) {
        this.members = new LinkedHashMap<>(known);
        this.excluded = excluded;
    }

    static TreeMembers none() {
        return new TreeMembers(Map.of(), Set.of());
    }

    /** Adds a member; false if it is already a member or is excluded. */
    boolean add(ProcessIdentity member, ProcessMark mark) {
        boolean isNew = !excluded.contains(member) && members.putIfAbsent(member, mark) == null;
        if (isNew) {
            found.put(member, mark);
        }
        return isNew;
    }

    /** Adds the child of a member. */
    boolean addChild(ProcessIdentity child, ProcessIdentity parent) {
        ProcessMark mark = members.get(parent);
        return mark != null && add(child, mark);
    }

    List<ProcessIdentity> all() {
        return new ArrayList<>(members.keySet());
    }

    boolean isEmpty() {
        return members.isEmpty();
    }

    /** The members that were not known before. */
    Map<ProcessIdentity, ProcessMark> found() {
        return found;
    }
}
