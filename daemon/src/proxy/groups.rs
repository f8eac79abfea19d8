//! Whether a user is in a group, by the files of this machine. Directories in the network are not asked.

use std::path::Path;

/// Whether the user is in the group of that name: by its first group, or listed as a member. No name = no.
pub(super) fn is_member(group: &str, uid: u32, gid: u32) -> bool {
    if group.is_empty() {
        return false;
    }
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    listed(group, uid, gid, &read("/etc/passwd"), &read("/etc/group"))
}

fn listed(group: &str, uid: u32, gid: u32, users: &str, groups: &str) -> bool {
    let field = |line: &str, at: usize| line.split(':').nth(at).map(str::to_owned);
    let Some(line) = groups.lines().find(|line| field(line, 0).as_deref() == Some(group)) else { return false };
    if field(line, 2).and_then(|number| number.parse().ok()) == Some(gid) {
        return true;
    }
    let is = |line: &&str| field(line, 2).and_then(|number| number.parse().ok()) == Some(uid);
    let Some(user) = users.lines().find(is).and_then(|line| field(line, 0)) else { return false };
    field(line, 3).is_some_and(|members| members.split(',').any(|member| member == user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_groups_and_lists_of_members_count() {
        let users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbob:x:1001:44::/:/bin/sh\n";
        let groups = "root:x:0:\nmodems:x:44:eve,ann\nnobodies:x:45:\nodd\n";
        assert!(listed("modems", 1000, 1000, users, groups), "a member");
        assert!(listed("modems", 1001, 44, users, groups), "the first group");
        assert!(!listed("modems", 1002, 1002, users, groups));
        assert!(!listed("nobodies", 1000, 1000, users, groups));
        assert!(!listed("absent", 0, 0, users, groups));
        assert!(!listed("odd", 0, 0, users, groups));
        assert!(!is_member("", 0, 0));
    }
}
